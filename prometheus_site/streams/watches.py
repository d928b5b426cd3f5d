"""One watch for all who listen to the same thing, and none while nobody does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from django.db import connections

from prometheus_site.streams.opening import Source

logger = logging.getLogger(__name__)


class Watch:
    """Asks a source again and again, in a thread and on a connection of its own, until it is ended."""

    def __init__(self, source: Source, look_every_seconds: float) -> None:
        self.parts: dict[str, str] = {}
        self.listeners: set[Listener] = set()
        self.is_over = False
        self._source = source
        self._look_every_seconds = look_every_seconds
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="watch")
        self._looking = asyncio.create_task(self._look_until_over())

    def end(self) -> None:
        """Stop looking, give the connection back, and let every listener know."""
        if not self.is_over:
            self.is_over = True
            self._looking.cancel()
            self._thread.submit(connections.close_all)
            self._thread.shutdown(wait=False)
            self._wake_listeners()

    async def _look_until_over(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                changed = await loop.run_in_executor(self._thread, self._source.changed_parts)
                if changed:
                    self.parts |= changed
                    self._wake_listeners()
                await asyncio.sleep(self._look_every_seconds)
        except Exception:
            # The page falls back to asking by itself, and tries a new stream after a while.
            logger.exception("watch failed")
            self.end()

    def _wake_listeners(self) -> None:
        for listener in self.listeners:
            listener.wake()


class Listener:
    """One open stream: what it was sent already, and a bell for what is new."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._sent: dict[str, str] = {}
        self._bell = asyncio.Event()
        self._bell.set()  # others may have listened before: what is known already is new to this one

    @property
    def is_over(self) -> bool:
        return self._watch.is_over

    def wake(self) -> None:
        """Let ``wait`` return."""
        self._bell.set()

    async def wait(self, seconds: float) -> bool:
        """Wait so many seconds, or less; return whether there may be something new."""
        try:
            await asyncio.wait_for(self._bell.wait(), seconds)
        except TimeoutError:
            return False
        self._bell.clear()
        return True

    def take_new(self) -> Mapping[str, str]:
        """Return the parts that this stream was not sent as they are now; they count as sent."""
        new = {name: html for name, html in self._watch.parts.items() if self._sent.get(name) != html}
        self._sent |= new
        return new


class Watches:
    """The watches of this process, by topic."""

    def __init__(self) -> None:
        self._by_topic: dict[Hashable, Watch] = {}
        self._has_ended = False

    @asynccontextmanager
    async def listen(
        self, topic: Hashable, source: Callable[[], Source], look_every_seconds: float
    ) -> AsyncIterator[Listener]:
        """Listen to a topic: the first who comes begins the watch, the last who goes ends it."""
        watch = self._by_topic.get(topic)
        if watch is None or watch.is_over:
            watch = self._by_topic[topic] = Watch(source(), look_every_seconds)
        if self._has_ended:
            watch.end()
        listener = Listener(watch)
        watch.listeners.add(listener)
        try:
            yield listener
        finally:
            watch.listeners.discard(listener)
            if not watch.listeners:
                watch.end()
                if self._by_topic.get(topic) is watch:
                    del self._by_topic[topic]

    def end_all(self) -> None:
        """End every watch, and with it every stream, for good."""
        self._has_ended = True
        for watch in list(self._by_topic.values()):
            watch.end()
