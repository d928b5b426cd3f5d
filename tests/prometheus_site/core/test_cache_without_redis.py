"""The cache while Redis is away: what was counted stays counted, and nobody gets an error."""

import pytest
from django.core.cache.backends.redis import RedisCache

from prometheus_site.core.cache import ANSWERED_FROM_MEMORY, RedisOrMemoryCache

NOBODY_LISTENS = "redis://127.0.0.1:9/0"


@pytest.fixture
def cache() -> RedisOrMemoryCache:
    cache = RedisOrMemoryCache(NOBODY_LISTENS, {})
    cache._memory.clear()
    return cache


def test_counts_go_on_in_memory(cache: RedisOrMemoryCache) -> None:
    assert cache.add("tries", 1, 60)
    assert not cache.add("tries", 1, 60)
    assert cache.incr("tries") == 2
    cache.set_many({"a": 1, "b": 2})
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert cache.touch("a", 60)
    assert cache.has_key("a")
    assert cache.delete("a")
    assert cache.get("a") is None


def test_every_answer_of_django_s_redis_cache_has_its_fallback() -> None:
    """Django's own class asks Redis in these methods; the others are made of them, or nobody uses them."""
    asking = {
        name for name, found in vars(RedisCache).items() if callable(found) and not name.startswith("_")
    }
    assert asking - set(ANSWERED_FROM_MEMORY) == {"get_backend_timeout", "clear", "delete_many"}
