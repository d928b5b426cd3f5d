"""The session ends with three saves waiting: the page asks to sign in, keeps them, and sends them again."""

from collections.abc import Callable

import pytest

from annotation.models import Campaign, Label
from prometheus_site.accounts import session_clock
from prometheus_site.accounts.models import User
from tests.fault.page import Page

pytestmark = pytest.mark.fault


def idle_too_long(page: Page) -> None:
    session = page.client.session
    session[session_clock.SEEN_AT] -= 31 * 60
    session.save()


def too_old(page: Page) -> None:
    session = page.client.session
    session[session_clock.STARTED_AT] -= 13 * 3600
    session.save()


def gone(page: Page) -> None:
    page.client.session.delete()


@pytest.mark.parametrize("expire", [idle_too_long, too_old, gone])
def test_three_waiting_saves_are_stored_once_after_signing_in_again(
    campaign: Campaign, annotator: User, expire: Callable[[Page], None]
) -> None:
    page = Page(campaign, annotator)
    page.sign_in()
    page.fetch(3)
    waiting = [page.filled_in() for _ in range(3)]
    expire(page)
    for path, body in waiting:
        status, answer = page.send(path, body)
        assert status == 401
        assert set(answer) == {"detail"}
    assert not Label.objects.exists()

    page.sign_in()
    first = [page.send(path, body) for path, body in waiting]
    assert [(status, answer["is_replay"]) for status, answer in first] == [(201, False)] * 3
    again = [page.send(path, body) for path, body in waiting]
    assert [(status, answer["is_replay"]) for status, answer in again] == [(200, True)] * 3
    assert [answer["receipt"] for _, answer in again] == [answer["receipt"] for _, answer in first]
    assert Label.objects.count() == 3
    assert {str(key) for key in Label.objects.values_list("idempotency_key", flat=True)} == {
        body["key"] for _, body in waiting
    }


def test_somebody_else_who_signs_in_on_that_page_does_not_send_them(
    campaign: Campaign, annotator: User, second_annotator: User
) -> None:
    page = Page(campaign, annotator)
    page.sign_in()
    page.fetch(3)
    waiting = [page.filled_in() for _ in range(3)]
    gone(page)
    page.user = second_annotator
    page.sign_in()
    assert [page.send(path, body)[0] for path, body in waiting] == [404] * 3
    assert not Label.objects.exists()
