"""The row is the queue; the broker is told after the commit, and may be down."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from pytest_django import DjangoCaptureOnCommitCallbacks

from datasets_app.importing.services import requeue_lost_imports, start_import
from datasets_app.models import ImportState
from prometheus_site.accounts.models import User
from prometheus_site.celery import app
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker() -> Iterator[Celery]:
    """The site's own application with its queue empty."""
    app.control.purge()
    yield app
    app.control.purge()


def waiting_messages() -> list[bytes]:
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        messages: list[bytes] = channel.client.lrange(app.conf.task_default_queue, 0, -1)
    return messages


def test_the_workers_are_told_after_the_commit_and_of_the_id_alone(
    broker: Celery, lead: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    job = files.upload(lead, files.chatml()).job
    with django_capture_on_commit_callbacks() as callbacks:
        start_import(job=job, user=lead)
        assert waiting_messages() == []
    for callback in callbacks:
        callback()

    (message,) = waiting_messages()
    assert b"import_conversations" in message
    assert files.PHRASE.encode() not in message


def test_a_broker_that_is_down_fails_nothing(
    lead: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = files.upload(lead, files.chatml()).job
    monkeypatch.setattr(app.conf, "broker_url", "redis+socket:///nowhere/redis.sock")
    monkeypatch.setattr(app, "_pool", None)  # the pools remember the broker they were made for
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    with caplog.at_level(logging.WARNING):
        with django_capture_on_commit_callbacks(execute=True):
            start_import(job=job, user=lead)
        requeue_lost_imports()

    job.refresh_from_db()
    assert job.state == ImportState.QUEUED
    assert [record.message for record in caplog.records] == ["the broker does not answer"] * 2


def test_the_sweeper_tells_the_workers_again(broker: Celery, lead: User) -> None:
    files.queued(lead, files.chatml())
    files.upload(lead, files.chatml(), new_source="Only looked at")

    requeue_lost_imports()

    assert len(waiting_messages()) == 1
