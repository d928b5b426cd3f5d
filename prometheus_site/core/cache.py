"""The cache: Redis, and this process's own memory while Redis does not answer."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.utils.functional import cached_property
from redis.exceptions import RedisError

ANSWERED_FROM_MEMORY = ("add", "get", "get_many", "set", "set_many", "touch", "incr", "delete", "has_key")


class RedisOrMemoryCache(RedisCache):
    """Redis; without it each process keeps the limits on signing in for itself, and people still come in."""

    @cached_property
    def _memory(self) -> LocMemCache:
        return LocMemCache("while Redis is away", {})


def _with_fallback(name: str) -> Callable[..., Any]:
    def answer(self: RedisOrMemoryCache, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(super(RedisOrMemoryCache, self), name)(*args, **kwargs)
        except (RedisError, OSError):
            return getattr(self._memory, name)(*args, **kwargs)

    return answer


for _name in ANSWERED_FROM_MEMORY:
    setattr(RedisOrMemoryCache, _name, _with_fallback(_name))
