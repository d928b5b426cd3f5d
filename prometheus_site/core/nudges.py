"""Telling the workers to look at the database: the rows are the queue, and a nudge may get lost."""

import logging
from typing import Any

from celery import Task
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def nudge(task: "Task[Any, Any]", *arguments: str) -> bool:
    """Tell the workers and return True; when the broker does not answer, the sweeper tells them later."""
    try:
        task.apply_async(arguments, retry=False)
    except OperationalError:
        logger.warning("the broker does not answer", extra={"task": task.name})
        return False
    return True
