"""How a process logs: one JSON line an event, a constant name and fields, with the ids of the request or task."""

import json
import logging
import sys

import structlog

from shared.settings import Settings

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_ENCODER = json.JSONEncoder(default=repr)  # made once; json.dumps makes one a line


def configure(settings: Settings) -> None:
    """Send structlog's and the standard library's records to stderr in the format that the settings ask for."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendering: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, _json_line]
        if settings.log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    level = _LEVELS[settings.log_level]
    structlog.configure(
        # Our own lines go straight out: in the standard library each would become a record, copied and formatted anew.
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # A Celery worker's own start-up chatter and a line a task would drown what an operator looks for.
    for noisy in ("celery.app.trace", "celery.worker.strategy", "kombu"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


def _json_line(_logger: object, _name: str, fields: structlog.typing.EventDict) -> str:
    return _ENCODER.encode(fields)
