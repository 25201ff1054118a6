"""The design that a user would otherwise write, done with care: Flask, marshmallow and one Celery task an event.

A task reads its athlete's last four weeks, computes the facts in one pass and asks the ten conditions; where one holds
it sends a second task, which posts a webhook over a kept connection. `BATCHED=1` is its improved form: one task for all
the events of a request, which reads each athlete's history once.

    STORE=redis://... HOOK=http://... python -m tests.load.plain

runs its worker; granian serves `make_app`.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson
import redis
import requests
from celery import Celery
from flask import Flask, Response, request
from marshmallow import EXCLUDE, Schema, fields, validate

from tests.load.workload import DAYS, MESSAGE, conditions, facts

QUEUE = "plain"
ACTIVITIES = ["strength", "run", "ride", "swim", "row", "walk", "hike", "class", "other"]
BATCHED = os.environ.get("BATCHED") == "1"


class SetSchema(Schema):
    """A set of a strength session."""

    exercise = fields.String(required=True, validate=validate.Length(1, 100))
    weight_kg = fields.Float(validate=validate.Range(0, 1000))
    reps = fields.Integer(validate=validate.Range(0, 10_000))


class WorkoutSchema(Schema):
    """The data of a session."""

    activity = fields.String(required=True, validate=validate.OneOf(ACTIVITIES))
    duration_s = fields.Float(required=True, validate=validate.Range(0, 172_800))
    intensity = fields.String(validate=validate.OneOf(["easy", "moderate", "hard", "sprint"]))
    rpe = fields.Float(validate=validate.Range(0, 10))
    distance_m = fields.Float(validate=validate.Range(0, 2_000_000))
    energy_kcal = fields.Float(validate=validate.Range(0, 50_000))
    avg_hr_bpm = fields.Float(validate=validate.Range(20, 260))
    muscle_groups = fields.List(fields.String())
    sets = fields.List(fields.Nested(SetSchema))
    title = fields.String(validate=validate.Length(1, 200))


class MealSchema(Schema):
    """The data of a meal."""

    energy_kcal = fields.Float(required=True, validate=validate.Range(0, 20_000))
    protein_g = fields.Float(validate=validate.Range(0, 2_000))
    carbs_g = fields.Float(validate=validate.Range(0, 4_000))
    fat_g = fields.Float(validate=validate.Range(0, 2_000))
    fibre_g = fields.Float(validate=validate.Range(0, 1_000))
    name = fields.String(validate=validate.Length(1, 200))


class CheckinSchema(Schema):
    """The data of a check-in."""

    sleep_h = fields.Float(validate=validate.Range(0, 24))
    soreness = fields.Float(validate=validate.Range(0, 10))
    fatigue = fields.Float(validate=validate.Range(0, 10))
    stress = fields.Float(validate=validate.Range(0, 10))
    resting_hr_bpm = fields.Float(validate=validate.Range(20, 200))


def _event_schema(data: Schema) -> Schema:
    return Schema.from_dict(
        {
            "id": fields.String(required=True, validate=validate.Length(1, 256)),
            "type": fields.String(required=True),
            "subject": fields.String(required=True, validate=validate.Length(1, 128)),
            "time": fields.AwareDateTime(required=True),
            "data": fields.Nested(data, required=True),
        }
    )(unknown=EXCLUDE)


SCHEMAS = {
    "workout.completed": _event_schema(WorkoutSchema()),
    "meal.logged": _event_schema(MealSchema()),
    "checkin.recorded": _event_schema(CheckinSchema()),
}


@dataclass(slots=True)
class Past:
    """An event as the facts read it."""

    type: str
    start: datetime
    data: dict[str, Any]


def make_celery() -> Celery:
    """Return the Celery app, with its tasks."""
    app = Celery("plain", broker=os.environ["STORE"], set_as_current=False)
    app.conf.update(
        task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=4, task_default_queue=QUEUE
    )

    @app.task(name="evaluate")
    def evaluate(event: dict[str, Any]) -> None:
        if _holds(event, _history(event["subject"])):
            app.send_task("notify", args=(event,))

    @app.task(name="evaluate_all")
    def evaluate_all(events: list[dict[str, Any]]) -> None:
        names = list(dict.fromkeys(event["subject"] for event in events))
        pipeline = _store().pipeline(transaction=False)
        for name in names:
            pipeline.lrange(f"history:{name}", 0, -1)
        histories = {name: _parsed(found) for name, found in zip(names, pipeline.execute(), strict=True)}
        for event in events:
            if _holds(event, histories[event["subject"]]):
                app.send_task("notify", args=(event,))

    @app.task(name="notify")
    def notify(event: dict[str, Any]) -> None:
        _post(event)

    return app


def make_app() -> Flask:
    """Return the Flask app, as granian starts it."""
    flask, celery, store = Flask("plain"), make_celery(), _store()

    @flask.post("/v1/events")
    def events() -> Response:
        found = request.get_json()
        found = found if isinstance(found, list) else [found]
        for event in found:
            SCHEMAS[event["type"]].load(event)
        pipeline = store.pipeline(transaction=False)
        for event in found:
            pipeline.rpush(f"history:{event['subject']}", json.dumps(event))
        pipeline.execute()
        if BATCHED:
            celery.send_task("evaluate_all", args=(found,))
        else:
            for event in found:
                celery.send_task("evaluate", args=(event,))
        return Response(json.dumps({"accepted": len(found)}), 202, mimetype="application/json")

    return flask


@cache
def _store() -> redis.Redis:
    return redis.Redis.from_url(os.environ["STORE"], decode_responses=True)


def _history(athlete: str) -> list[Past]:
    return _parsed(_store().lrange(f"history:{athlete}", 0, -1))


def _parsed(found: Sequence[str | bytes]) -> list[Past]:
    return [
        Past(event["type"], datetime.fromisoformat(event["time"]), event["data"])
        for event in map(orjson.loads, found)
    ]


def _holds(event: dict[str, Any], history: list[Past]) -> bool:
    at = datetime.fromisoformat(event["time"])
    since = at - timedelta(days=DAYS)
    recent = [past for past in history if since <= past.start < at]
    return any(conditions(facts(recent, at), event["data"]))


@cache
def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _post(event: dict[str, Any]) -> None:
    because = {"anchor": {"id": event["id"], "start": event["time"]}}
    message = {
        "type": "advice.issued",
        "subject": event["subject"],
        "data": {"rule": "told", "title": "told", "message": MESSAGE, "because": because},
    }
    _session().post(os.environ["HOOK"], json=message, timeout=5).raise_for_status()


if __name__ == "__main__":
    _pool = ["--pool", "prefork", "--concurrency", "2", "--without-gossip", "--without-mingle"]
    make_celery().worker_main(["worker", *_pool, "--loglevel", "WARNING"])
