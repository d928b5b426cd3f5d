"""The streams application in this process: asked as a server asks it, on the test's own database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.test import Client

from prometheus_site.streams.application import Streams
from tests.prometheus_site.embedded.waiting import wait_until

PATIENCE_SECONDS = 10


class Asked:
    """One request and what came of it: the head, and the words that followed so far."""

    def __init__(self, streams: Streams, scope: dict[str, Any], room: int) -> None:
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._heard: asyncio.Queue[Any] = asyncio.Queue(room)
        self._said.put_nowait({"type": "http.request"})
        talk: Any = streams
        self._talking = asyncio.create_task(talk(scope, self._said.get, self._heard.put))
        self.status = 0
        self.headers: dict[str, str] = {}
        self.words = ""
        self.has_ended = False

    async def begin(self) -> None:
        """Wait for the head of the answer."""
        head = await self._next()
        self.status = head["status"]
        self.headers = {name.decode(): value.decode() for name, value in head["headers"]}

    async def hear(self) -> str:
        """Return the next words of the stream, or nothing at its end."""
        message = await self._next()
        self.has_ended = not message["more_body"]
        words: str = message["body"].decode()
        self.words += words
        return words

    async def hear_until(self, words: str) -> None:
        """Listen until these words were said."""
        while words not in self.words and not self.has_ended:
            await self.hear()
        assert words in self.words

    async def hear_all(self) -> None:
        """Listen until the stream ends."""
        while not self.has_ended:
            await self.hear()

    async def go_away(self) -> None:
        """Close the connection and wait until the application has noticed."""
        self._said.put_nowait({"type": "http.disconnect"})
        await self.be_let_go()

    async def be_let_go(self) -> None:
        """Wait until the application has done with this request."""
        await asyncio.wait_for(self._talking, PATIENCE_SECONDS)

    async def _next(self) -> Any:
        return await asyncio.wait_for(self._heard.get(), PATIENCE_SECONDS)


@asynccontextmanager
async def asking(
    streams: Streams,
    path: str,
    client: Client | None = None,
    *,
    method: str = "GET",
    room: int = 0,
    **headers: str,
) -> AsyncIterator[Asked]:
    """Ask for an address with the client's session, and go away in the end.

    Where there is ``room`` for so many messages only, no more is taken until they are heard.
    """
    if client is not None:
        name = settings.SESSION_COOKIE_NAME
        headers["cookie"] = f"{name}={client.cookies[name].value}"
    sent = {"host": "localhost:8001"} | headers
    asked = Asked(
        streams,
        {
            "type": "http",
            "method": method,
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        },
        room,
    )
    await asked.begin()
    yield asked
    await asked.go_away()


def run(talk: Callable[[Streams], Coroutine[Any, Any, None]]) -> None:
    """Talk to a fresh application; afterwards it holds no connection to the database."""
    asyncio.run(talk(Streams()))
    wait_until(lambda: connections_of_others() == 0)


def connections_of_others() -> int:
    """Return how many connections there are to the test's database beside the asking one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


async def meanwhile(do: Callable[[], object]) -> None:
    """Do something to the database as another process would."""

    def in_its_own_connection() -> None:
        try:
            do()
        finally:
            connections.close_all()

    await asyncio.to_thread(in_its_own_connection)
