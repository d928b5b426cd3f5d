"""One simulated annotator at work: reads what is displayed, thinks, answers, slips, undoes, goes away."""

import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from annotation.rehearsal.behaviour import Deed, Temperament, decide, mistyped, slipped
from annotation.rehearsal.clinician import SimulatedClinician
from annotation.rehearsal.doors import Body, Door, Reply
from annotation.rehearsal.faults import LAZY_SECONDS
from annotation.schemes.answers import Answer
from annotation.schemes.definition import Scheme

AHEAD = 3
Turns = list[tuple[str, str]]
Counts = Counter[str]


class RehearsalError(Exception):
    """The site answered something that no annotator's behaviour explains."""


@dataclass
class Annotator:
    """Works through a queue as the page does: three samples in hand, each saved with a key of its own.

    ``planned`` is how many samples are waiting in all. ``think`` is called with the seconds that a person
    would take; ``counts`` tells what happened, ``pause`` what the site last said when it gave less than was
    asked for.
    """

    clinician: SimulatedClinician
    temperament: Temperament
    scheme: Scheme
    guideline: uuid.UUID
    door: Door
    planned: int
    think: Callable[[float], None] = time.sleep
    counts: Counts = field(default_factory=Counter)
    pause: Body | None = None
    _hand: deque[Body] = field(default_factory=deque)
    _visits: Counter[str] = field(default_factory=Counter)
    _to_undo: dict[str, tuple[int, dict[str, Answer], Body]] = field(default_factory=dict)

    def work(self) -> Counts:
        """Label until the queue gives nothing more, then leave."""
        for seconds in self.sit():
            self.think(seconds)
        self.leave()
        return self.counts

    def sit(self, is_over: Callable[[], bool] = lambda: False) -> Iterator[float]:
        """Label until nothing more comes or it is over; yield the seconds that each sample is thought about.

        ``is_over`` is asked between two samples only.
        """
        is_going_on = True
        while is_going_on and not is_over() and (self._hand or self._fetch()):
            is_going_on = yield from self._do_next()

    def leave(self) -> None:
        """Mend what was slipped and end the sitting."""
        self._undo_what_is_due(is_over=True)
        self._ask("leave/", {}, 200)
        self._hand.clear()

    def _fetch(self) -> bool:
        """Put one sample on the screen, as the page does when it opens, and fetch others ahead."""
        self._go_on(self._ask("next/", {"held": [], "count": 1, "showing": None}, 200))
        if self._hand:
            self._go_on(self._ask("next/", self._wanted(), 200))
        return bool(self._hand)

    def _do_next(self) -> Generator[float, None, bool]:
        """Return whether more may follow: not where a rest has to come first."""
        card = self._hand.popleft()
        turns = self._read(card)
        if turns is None:
            self._hand.clear()
            return False
        text = "\n".join(words for _, words in turns)
        self._visits[text] += 1
        visit, reader = self._visits[text], self.clinician
        deed = decide(self.temperament, name=reader.name, seed=reader.seed, turns=turns, visit=visit)
        if reader.skims(turns, visit):
            deed = replace(deed, think_seconds=LAZY_SECONDS)
        yield deed.think_seconds
        if deed.vanishes:
            self._vanish()
        elif deed.passes:
            self._pass(card)
        else:
            present, progress = frozenset(card["present"]), self.counts["labelled"] / self.planned
            answers = reader.read(self.scheme, turns, present, visit=visit, progress=progress)
            self._label(card, answers, deed)
        return True

    def _read(self, card: Body) -> Turns | None:
        """Return the turns as displayed, a covered text opened first; None when a rest has to come before."""
        shown = card["turns"]
        if shown is None:
            opened = self._ask(f"assignments/{card['assignment']}/open/", {}, 200, 409)
            if "turns" not in opened:
                self.counts["told to rest"] += 1
                return None
            shown = opened["turns"]
            self.counts["severe texts opened"] += 1
        return [(turn["role"], turn["text"]) for turn in shown]

    def _vanish(self) -> None:
        """Lose everything in hand, as by a closed laptop; what was on screen comes back at the next visit."""
        self._hand.clear()
        self.counts["vanished"] += 1

    def _pass(self, card: Body) -> None:
        path = f"assignments/{card['assignment']}/pass/"
        self._go_on(self._ask(path, {"key": str(uuid.uuid4())} | self._wanted(), 200))
        self.counts["passed"] += 1

    def _label(self, card: Body, meant: Mapping[str, Answer], deed: Deed) -> None:
        assignment = f"assignments/{card['assignment']}/"
        slip = self._slip(card, meant) if deed.undoes else None
        body = self._submission(slip or meant, deed)
        if deed.mistypes:
            wrong = body | {"answers": self._mistyped(card, meant), "key": str(uuid.uuid4())}
            self._ask(f"{assignment}label/", wrong, 422)
            self.counts["mistyped"] += 1
        if deed.flags:
            self._ask(f"{assignment}flag/", {"key": str(uuid.uuid4()), "kind": "other", "words": ""}, 201)
            self.counts["flagged"] += 1
        stored = self._ask(f"{assignment}label/", body | self._wanted(), 201, 200)
        self.counts["labelled"] += 1
        self._go_on(stored)
        self._undo_what_is_due()
        if slip is not None:
            self._to_undo[stored["label"]] = (deed.undo_after, dict(meant), body)

    def _slip(self, card: Body, meant: Mapping[str, Answer]) -> dict[str, Answer] | None:
        name, seed = self.clinician.name, self.clinician.seed
        return slipped(self.scheme, meant, frozenset(card["present"]), name=name, seed=seed)

    def _mistyped(self, card: Body, meant: Mapping[str, Answer]) -> dict[str, Answer]:
        name, seed = self.clinician.name, self.clinician.seed
        return mistyped(self.scheme, meant, frozenset(card["present"]), name=name, seed=seed)

    def _submission(self, answers: Mapping[str, Answer], deed: Deed) -> Body:
        return {
            "key": str(uuid.uuid4()),
            "guideline": str(self.guideline),
            "answers": dict(answers),
            "note": deed.note,
            "active_seconds": round(deed.think_seconds),
        }

    def _undo_what_is_due(self, *, is_over: bool = False) -> None:
        """Count down; undo the labels whose time has come and save what was meant."""
        for label, (left, meant, body) in list(self._to_undo.items()):
            if left > 1 and not is_over:
                self._to_undo[label] = (left - 1, meant, body)
                continue
            del self._to_undo[label]
            undone = self._ask("undo/", {"of": label}, 200, 409)
            if "card" not in undone:
                self.counts["too late to undo"] += 1
                continue
            again = body | {"key": str(uuid.uuid4()), "answers": meant} | self._wanted() | {"count": 0}
            self._ask(f"assignments/{undone['card']['assignment']}/label/", again, 201, 200)
            self.counts["undone"] += 1

    def _wanted(self) -> Body:
        return {"held": self._held(), "count": max(0, AHEAD - len(self._hand)), "showing": self._showing()}

    def _held(self) -> list[str]:
        return [card["assignment"] for card in self._hand]

    def _showing(self) -> str | None:
        return self._hand[0]["assignment"] if self._hand else None

    def _go_on(self, answer: Body) -> None:
        """Take what was handed out; when the day is over, only what is on the screen stays."""
        self._hand.extend(answer["cards"])
        self.pause = answer["pause"]
        if self.pause and self.pause["ends_the_day"]:
            self._hand = deque(list(self._hand)[:1])

    def _ask(self, path: str, body: Body, *expected: int) -> Body:
        reply: Reply = self.door.post(path, body)
        if reply.status not in expected:
            # The code and the fields at fault, never what was sent.
            said: Any = reply.body.get("code") or reply.body.get("detail")
            raise RehearsalError(f"{path} answered {reply.status} ({said}), not {expected[0]}.")
        return reply.body
