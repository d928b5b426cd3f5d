"""What a program that fills in forms meets, and what a person never notices."""

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.test import Client
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisGoneError

from annotation.models import Application, Campaign
from annotation.recruitment import spam
from tests.annotation.recruitment.applying import signed_earlier


def begin(campaign: Campaign, client: Client | None = None, **changes: str):  # type: ignore[no-untyped-def]
    data = {"email": "mara@example.org", "stamp": signed_earlier()} | changes
    return (client or Client()).post(reverse("annotation:apply", args=[campaign.slug]), data)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({spam.TRAP_FIELD: "https://buy.example"}, "A hidden field was filled in"),
        ({"stamp": "0"}, "did not come from our page"),
        ({"stamp": ""}, "did not come from our page"),
        ({"stamp": signed_earlier(30 * 3600)}, "open for more than a day"),
    ],
)
def test_a_program_is_refused_and_a_person_can_press_again(
    campaign: Campaign, changes: dict[str, str], sentence: str
) -> None:
    response = begin(campaign, None, **changes)
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert 'value="mara@example.org"' in page
    assert not Application.objects.exists()


def test_faster_than_people_type_is_refused(campaign: Campaign) -> None:
    response = begin(campaign, stamp=spam.stamp())
    assert response.status_code == 422
    assert spam.TOO_FAST in response.content.decode()


def test_one_address_begins_so_many_in_an_hour(campaign: Campaign) -> None:
    codes = [begin(campaign).status_code for _ in range(spam.HOURLY["start"] + 1)]
    assert codes == [302] * spam.HOURLY["start"] + [429]
    assert begin(campaign, Client(REMOTE_ADDR="203.0.113.9")).status_code == 302


def test_the_limit_holds_while_redis_is_away(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: object, **kwargs: object) -> None:
        raise RedisGoneError

    for name in ("add", "incr", "get", "set"):
        monkeypatch.setattr(RedisCache, name, gone)
    cache._memory.clear()  # type: ignore[attr-defined]
    codes = [begin(campaign).status_code for _ in range(spam.HOURLY["start"] + 1)]
    assert codes == [302] * spam.HOURLY["start"] + [429]
