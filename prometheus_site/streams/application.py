"""The ASGI application of the streams process: the site's own rules say who may watch; events follow.

Django's own handler keeps a thread, and in it a database connection, for as long as an answer lasts. Here the
question who may watch is put to the site's middleware in one of a few threads, again every little while, and
nothing is kept in between.
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve

from prometheus_site.streams.opening import Opening
from prometheus_site.streams.watches import Listener, Watches

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

URLS = "prometheus_site.streams.urls"
THREADS_THAT_ASK = 4
ASK_AGAIN_SECONDS = 25  # the longest that a right to watch outlives itself
HEARTBEAT_SECONDS = 15  # shorter than the patience of any proxy
STALLED_SECONDS = 30  # a client that takes nothing for so long is gone
RETRY = b"retry: 2000\n\n"  # milliseconds
HEARTBEAT = b": still here\n\n"


class _Site(BaseHandler):
    """The site's middleware around the views of this process; links are still made to the site's pages."""

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        request.resolver_match = resolve(request.path_info, URLS)
        return request.resolver_match


class Streams:
    """Answers what its few addresses say; an answer that is an Opening stays open."""

    def __init__(self) -> None:
        self._site = _Site()
        self._site.load_middleware()
        self._threads = ThreadPoolExecutor(THREADS_THAT_ASK, thread_name_prefix="asking")
        self._watches = Watches()

    def stop(self) -> None:
        """End every open stream: the process is about to stop."""
        self._watches.end_all()

    async def __call__(
        self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Streams answer HTTP requests, not {scope['type']}.")
        answer = await self._ask_the_site(scope)
        if isinstance(answer, Opening):
            await self._stream(answer, scope, receive, send)
        else:
            await _send_whole(answer, send)

    async def _ask_the_site(self, scope: "HTTPScope") -> HttpResponseBase:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._ask_in_thread, scope)

    def _ask_in_thread(self, scope: "HTTPScope") -> HttpResponseBase:
        """Return what the site answers at our addresses; runs all of its middleware, as for a page."""
        try:
            request = ASGIRequest(scope, BytesIO())
            resolve(request.path_info, URLS)
        except UnicodeDecodeError:
            return HttpResponseBadRequest()
        except Resolver404:
            return HttpResponseNotFound()
        # Like a page that refreshes itself: it keeps no session alive, and is told 401 instead of a page.
        request.META["HTTP_HX_REQUEST"] = "true"
        try:
            answer = self._site.get_response(request)
            answer.close()
            return answer
        finally:
            connections.close_all()

    async def _stream(
        self, opening: Opening, scope: "HTTPScope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        gone = asyncio.create_task(_until_gone(receive))
        try:
            every = opening.look_every_seconds
            async with self._watches.listen(opening.topic, opening.source, every) as listener:
                gone.add_done_callback(lambda _: listener.wake())
                await _send_head(opening, send)
                await self._send_events(opening, scope, listener, gone, send)
            await _send_body(b"", send, has_more=False)
        except TimeoutError:
            return  # without an end: this client takes nothing
        finally:
            gone.cancel()

    async def _send_events(
        self,
        opening: Opening,
        scope: "HTTPScope",
        listener: Listener,
        gone: "asyncio.Task[None]",
        send: "ASGISendCallable",
    ) -> None:
        """Send what is new, or a heartbeat, until somebody goes or the right to watch has gone."""
        clock = asyncio.get_running_loop().time
        ask_again_at = clock() + ASK_AGAIN_SECONDS
        message = RETRY
        while not (gone.done() or listener.is_over):
            if message:
                await asyncio.wait_for(_send_body(message, send), STALLED_SECONDS)
            rang = await listener.wait(min(HEARTBEAT_SECONDS, max(0.0, ask_again_at - clock())))
            if clock() >= ask_again_at:
                if not await self._may_still_watch(opening, scope):
                    return
                ask_again_at = clock() + ASK_AGAIN_SECONDS
            parts = listener.take_new()
            message = _event("pulse", parts.values()) if parts else b"" if rang else HEARTBEAT

    async def _may_still_watch(self, opening: Opening, scope: "HTTPScope") -> bool:
        answer = await self._ask_the_site(scope)
        return isinstance(answer, Opening) and answer.topic == opening.topic


def _event(name: str, parts: Iterable[str]) -> bytes:
    lines = "\n".join(parts).replace("\r", "").split("\n")
    return "".join([f"event: {name}\n", *(f"data: {line}\n" for line in lines), "\n"]).encode()


async def _until_gone(receive: "ASGIReceiveCallable") -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _send_whole(answer: HttpResponseBase, send: "ASGISendCallable") -> None:
    await _send_head(answer, send)
    await _send_body(answer.content if isinstance(answer, HttpResponse) else b"", send, has_more=False)


async def _send_head(answer: HttpResponseBase, send: "ASGISendCallable") -> None:
    cookies = [("Set-Cookie", morsel.OutputString()) for morsel in answer.cookies.values()]
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in [*answer.items(), *cookies]]
    await send(
        {
            "type": "http.response.start",
            "status": answer.status_code,
            "headers": headers,
            "trailers": False,
        }
    )


async def _send_body(body: bytes, send: "ASGISendCallable", *, has_more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": has_more})
