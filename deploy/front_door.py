"""The front door as it is deployed: ingest's application, and what it asks of the rules."""

from flask import Flask

from deploy.rule_desk import RuleDesk
from services.ingest import wsgi

FACTORY = "deploy.front_door:make_app"


def make_app() -> Flask:
    """Return the application, its settings read from the environment; the factory that granian calls."""
    return wsgi.make_app(RuleDesk)
