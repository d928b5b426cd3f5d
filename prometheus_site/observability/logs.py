"""Logs as JSON lines with an allow-list of fields: nothing that could be therapy text gets out."""

import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

request_id: ContextVar[str] = ContextVar("request_id", default="")

# What a log call may add by ``extra={...}``: ids, counts and states only.
ALLOWED_FIELDS = (
    "action", "anchor", "assignment", "attempt", "campaign", "count", "dataset_run", "duration_ms",
    "import_job", "kept", "method", "object_id", "part", "pid", "rejected", "route", "selection_run",
    "state", "status", "task", "upload", "user",
)  # fmt: skip
# Loggers whose messages are our own constants; of all others only the name and the place are kept.
OWN_LOGGERS = ("prometheus_site", "datasets_app", "annotation", "training", "inference")
SERVER_LOGGERS = ("gunicorn", "uvicorn", "celery.worker", "celery.beat", "celery.apps", "prometheus")


class AllowListFormatter(logging.Formatter):
    """Format a record as one JSON line; an exception is its type and its places, never its message."""

    def format(self, record: logging.LogRecord) -> str:
        own = record.name.startswith(OWN_LOGGERS) or record.name.startswith(SERVER_LOGGERS)
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            # An unformatted message of another package is a constant; its arguments may quote a text.
            "event": record.getMessage() if own else str(record.msg),
        }
        if request_id.get():
            line["request_id"] = request_id.get()
        line |= {name: getattr(record, name) for name in ALLOWED_FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            frames = traceback.extract_tb(record.exc_info[2])
            line["error"] = record.exc_info[0].__name__
            line["at_code"] = [f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames[-12:]]
        return orjson.dumps(line, default=str).decode()


def logging_settings(level: str) -> dict[str, Any]:
    """Return Django's LOGGING: one JSON stream on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": AllowListFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            **{name: {"level": level} for name in OWN_LOGGERS},
            # Django's own handlers would print tracebacks with messages; everything goes to the root.
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
