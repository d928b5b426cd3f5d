"""A server that speaks chat completions over HTTP, and can be told to be busy, to refuse and to lie."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "key-of-the-test"
Asked = dict[str, Any]


@dataclass
class ChatServer:
    """What it answers, the faults still to come, and what it saw."""

    url: str = ""
    write: Callable[[Asked], str] = lambda asked: "Client: One.\nTherapist: Two."
    faults: list[Callable[["Handler"], None]] = field(default_factory=list)
    meets: threading.Barrier | None = None
    asked: list[Asked] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    gone: threading.Event = field(default_factory=threading.Event)  # set when nobody waits any more

    @property
    def times(self) -> Counter[str]:
        """How often each prompt was asked."""
        return Counter(asked["messages"][-1]["content"] for asked in self.asked)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    chat: ChatServer

    def do_POST(self) -> None:
        """Answer a chat completion, or with the next fault."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.chat.lock:
            self.chat.asked.append(asked)
            self.chat.at_once += 1
            self.chat.most_at_once = max(self.chat.most_at_once, self.chat.at_once)
            fault = self.chat.faults.pop(0) if self.chat.faults else None
        try:
            if self.chat.meets:
                self.chat.meets.wait(timeout=20)
        finally:
            with self.chat.lock:
                self.chat.at_once -= 1
        if self.path != "/v1/chat/completions" or self.headers["authorization"] != f"Bearer {KEY}":
            self.reply(401, {"error": {"message": "no", "code": "invalid_api_key"}})
        elif fault:
            fault(self)
        else:
            self.complete(self.chat.write(asked))

    def complete(self, text: str | None, *, reason: str = "stop", refusal: str | None = None) -> None:
        """A whole completion."""
        message = {"role": "assistant", "content": text, "refusal": refusal}
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
        self.reply(
            200,
            {
                "id": "one",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [choice],
                "usage": usage,
            },
        )

    def reply(self, status: int, body: object, **headers: str) -> None:
        """Send JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def busy(status: int, **headers: str) -> Callable[[Handler], None]:
    """A fault: the server answers with this status."""
    return lambda handler: handler.reply(status, {"error": {"message": "busy"}}, **headers)


def dropped(handler: Handler) -> None:
    """A fault: the connection ends without an answer."""
    handler.close_connection = True


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """Run a server on a free port of this machine."""
    chat = ChatServer()
    handler = type("Bound", (Handler,), {"chat": chat})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    chat.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
