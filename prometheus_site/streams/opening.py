"""A view's answer that begins a stream: what is watched, and where its news come from."""

from collections.abc import Callable, Hashable, Mapping
from typing import Protocol

from django.http import StreamingHttpResponse


class Source(Protocol):
    """Where the news of one watched thing come from; asked in one thread, again and again."""

    def changed_parts(self) -> Mapping[str, str]:
        """Return what is new since it was asked before: HTML by the id of the element it replaces."""


class Opening(StreamingHttpResponse):
    """Permission to watch ``topic``: the head of the answer; events follow from its one shared source."""

    def __init__(
        self, topic: Hashable, source: Callable[[], Source], *, look_every_seconds: float = 1.0
    ) -> None:
        super().__init__(
            (),
            content_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self.topic = topic
        self.source = source
        self.look_every_seconds = look_every_seconds
