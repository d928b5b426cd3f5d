"""Programs that label over the HTTP API and never give up: any failure is followed by the same request."""

import http.client
import json
import random
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.annotation.worlds import GOOD_ANSWERS

ANSWER_WITHIN_SECONDS = 30.0
GIVE_UP_AFTER_SECONDS = 180.0
RETRY_SECONDS = (0.02, 0.3)
CHOICES = {
    "crisis_confidence": ["1", "2", "3", "4", "5"],
    "modality_primary": ["supportive", "cbt", "act", "psychoeducation"],
    "empathy_global": ["1", "2", "3", "4", "5"],
}


class StoppedError(Exception):
    """The site refused what must be taken, or did not answer for minutes."""


@dataclass
class Sent:
    """A label as it was sent, and the answer that acknowledged it."""

    slot: str
    body: dict[str, Any]
    acknowledged: dict[str, Any] = field(default_factory=dict)
    is_undone: bool = False


@dataclass
class Program:
    """One annotator's program. Now and then the network is cut in the middle of a request."""

    port: int
    slug: str
    guideline: str
    token: str
    seed: str
    cut_share: float = 0.0
    undo_share: float = 0.0
    pass_share: float = 0.0
    cards: list[dict[str, Any]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    save_seconds: list[float] = field(default_factory=list)
    failures: int = 0
    cuts: int = 0
    replays: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311  what a program happens to answer is no secret
        self._connection: http.client.HTTPConnection | None = None

    def begin(self) -> None:
        """Fetch the first samples."""
        self.cards += self.ask("next/", self._wanted(3))[1]["cards"]

    def work(self, labels: int | None = None) -> None:
        """Label so many samples, or all there are."""
        while labels is None or labels > 0:
            if not self.cards:
                self.begin()
            if not self.cards:
                return
            card = self.cards.pop(0)
            if self._chance.random() < self.pass_share:
                self._pass(card)
                continue
            label = self._label(card)
            if labels is not None:
                labels -= 1
            if self._chance.random() < self.undo_share:
                _, answer = self.ask("undo/", {"of": label.acknowledged["label"]})
                label.is_undone = True
                assert answer["card"]["assignment"] == label.slot
                self.cards.insert(0, answer["card"])

    def _label(self, card: dict[str, Any]) -> Sent:
        chosen = {dimension: self._chance.choice(codes) for dimension, codes in CHOICES.items()}
        body = {
            "key": str(uuid.uuid4()),
            "guideline": self.guideline,
            "answers": GOOD_ANSWERS | chosen,
            "note": f"of {card['number']}: {self._chance.random()}" if self._chance.random() < 0.2 else "",
            "active_seconds": self._chance.randrange(1, 10),
        }
        label = Sent(card["assignment"], body)
        self.sent.append(label)
        began = time.perf_counter()
        status, answer = self.ask(f"assignments/{label.slot}/label/", body | self._wanted(1))
        self.save_seconds.append(time.perf_counter() - began)
        assert (status == 200) == answer["is_replay"]
        self.replays += answer["is_replay"]
        label.acknowledged = answer
        self._take(answer)
        return label

    def _pass(self, card: dict[str, Any]) -> None:
        slot = card["assignment"]
        _, answer = self.ask(f"assignments/{slot}/pass/", {"key": str(uuid.uuid4())} | self._wanted(1))
        self.passed.append(slot)
        self._take(answer)

    def _take(self, answer: dict[str, Any]) -> None:
        held = {card["assignment"] for card in self.cards}
        self.cards += [card for card in answer["cards"] if card["assignment"] not in held]

    def _wanted(self, count: int) -> dict[str, Any]:
        held = [card["assignment"] for card in self.cards]
        return {"held": held, "count": count, "showing": held[0] if held else None}

    def ask(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send the request until it is answered with success; raises StoppedError for a refusal."""
        deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
        while time.monotonic() < deadline:
            try:
                status, answer = self._send(path, body)
            except (OSError, http.client.HTTPException):
                self.hang_up()
            else:
                if status < 300:
                    return status, json.loads(answer)
                if status < 500 and status != http.client.TOO_MANY_REQUESTS:
                    raise StoppedError(f"{path.split('/')[-2]}: {status} {answer.decode()[:300]}")
            self.failures += 1
            time.sleep(self._chance.uniform(*RETRY_SECONDS))
        raise StoppedError(f"{path.split('/')[-2]}: no answer in {GIVE_UP_AFTER_SECONDS} s")

    def _send(self, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=ANSWER_WITHIN_SECONDS
            )
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self._connection.request("POST", f"/api/v1/campaigns/{self.slug}/{path}", json.dumps(body), headers)
        if self._chance.random() < self.cut_share:
            self.cuts += 1
            time.sleep(self._chance.uniform(0, 0.02))
            raise ConnectionAbortedError("the network was cut before the answer came")
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def hang_up(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None


@dataclass
class Crowd:
    """Programs that work at the same time."""

    programs: list[Program]
    problems: list[BaseException] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._run, args=[one], daemon=True) for one in self.programs]
        for thread in self._threads:
            thread.start()

    def _run(self, program: Program) -> None:
        try:
            program.work()
        except BaseException as problem:
            self.problems.append(problem)
        finally:
            program.hang_up()

    @property
    def is_working(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @property
    def labels(self) -> list[Sent]:
        return [label for program in self.programs for label in program.sent]

    @property
    def acknowledged(self) -> int:
        return sum(bool(label.acknowledged) for label in self.labels)
