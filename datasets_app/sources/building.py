"""Turns cleaned and gathered into a conversation, or its first fault."""

import unicodedata
from collections.abc import Iterable, Mapping

from .options import ReadOptions
from .records import Dialogue, Reject, RejectReason, Role, Turn

FACT_CHARACTERS = 200
FACTS = (
    "topic", "category", "language", "split", "source_family", "license_tag", "pii_status", "phase",
    "session", "scenario",
)  # fmt: skip


class DialogueBuilder:
    """Gathers the turns of the record at `row`; after the first fault it only waits for `finish`."""

    def __init__(self, row: int, options: ReadOptions) -> None:
        self._row = row
        self._options = options
        self._turns: list[Turn] = []
        self._rejected_reply = ""
        self._reject: Reject | None = None

    def add(
        self,
        speaker: object,
        text: object,
        *,
        row: int | None = None,
        speaker_field: str = "speaker",
        text_field: str = "text",
    ) -> None:
        """Add what `speaker` said; a label without a known role refuses the whole record."""
        if speaker is None:
            self.refuse(RejectReason.MISSING_FIELD, speaker_field, row=row)
        elif not isinstance(speaker, str):
            self.refuse(RejectReason.WRONG_TYPE, speaker_field, row=row)
        elif (role := self._options.role_of(speaker)) is None:
            self.refuse(RejectReason.UNKNOWN_SPEAKER, speaker_field, row=row)
        else:
            self.add_turn(role, text, field=text_field, row=row)

    def add_turn(self, role: Role, text: object, *, field: str, row: int | None = None) -> None:
        """Add a turn whose role the format itself gives."""
        content = self._content_of(text, field, row)
        if self._reject is None:
            self._turns.append(Turn(role, content))

    def add_rejected_reply(self, text: object, *, field: str) -> None:
        """Add what was found worse than the last turn."""
        self._rejected_reply = self._content_of(text, field, None)

    def _content_of(self, text: object, field: str, row: int | None) -> str:
        """The text as a turn holds it; nothing, and the record refused, where it cannot be one."""
        if text is None:
            self.refuse(RejectReason.MISSING_FIELD, field, row=row)
        elif not isinstance(text, str):
            self.refuse(RejectReason.WRONG_TYPE, field, row=row)
        elif len(stripped := text.strip()) > self._options.max_turn_characters:
            self.refuse(RejectReason.TURN_TOO_LONG, field, row=row)
        elif fault := fault_of(content := tidy(stripped), self._options.max_turn_characters):
            self.refuse(fault, field, row=row)
        else:
            return content
        return ""

    def take(self, turns: Iterable[Turn]) -> None:
        """Take turns that are known to be without fault."""
        if self._reject is None:
            self._turns.extend(turns)

    def refuse(self, reason: RejectReason, field: str = "", *, row: int | None = None) -> None:
        """Refuse the record; only the first fault is reported."""
        if self._reject is None:
            self._reject = Reject.because(reason, row=row or self._row, field=field)
            self._turns.clear()

    def finish(
        self, source_key: str | None = None, meta: Mapping[str, str] | None = None
    ) -> Dialogue | Reject:
        """The conversation, keyed by its row where the source names no key, or the reject."""
        if self._reject is None and all(turn.role == "system" for turn in self._turns):
            self.refuse(RejectReason.NO_TURNS)
        if self._reject is not None:
            return self._reject
        key, facts = source_key or str(self._row), dict(meta or {})
        return Dialogue(tuple(self._turns), key, self._row, facts, self._rejected_reply)


_PRINTABLE = bytes(range(ord(" "), ord("~") + 1))


def is_plain(text: str) -> bool:
    """Whether all of `text` is printable ASCII: so `str.isprintable` says, four times as slowly."""
    return text.isascii() and not text.encode().translate(None, _PRINTABLE)


def tidy(text: str) -> str:
    """`text` in NFC with line feeds as line ends and no outer white space; all else is left as it is."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").strip())


def short_fact(value: object) -> str:
    """`value` as one short line that a database can store, or nothing where it is not such a fact."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)[: FACT_CHARACTERS + 1]
    fact = " ".join((text if is_plain(text) else tidy(text)).split())
    return fact if len(fact) <= FACT_CHARACTERS and _is_storable(fact) else ""


def known_facts(*holders: object) -> dict[str, str]:
    """The facts worth keeping among the fields of `holders`; the first holder that has one decides."""
    facts: dict[str, str] = {}
    for holder in holders:
        if isinstance(holder, dict):
            for name in FACTS:
                if name in holder and name not in facts and (fact := short_fact(holder.get(name))):
                    facts[name] = fact
            flags = holder.get("flags")
            if isinstance(flags, list) and (
                fact := short_fact(",".join(filter(None, map(short_fact, flags))))
            ):
                facts.setdefault("flags", fact)
    return facts


def fault_of(content: str, max_characters: int) -> RejectReason | None:
    """Why a text that has been tidied cannot be a turn."""
    if not content:
        return RejectReason.EMPTY_TEXT
    if len(content) > max_characters:
        return RejectReason.TURN_TOO_LONG
    if not _is_storable(content):
        return RejectReason.INVALID_TEXT
    return None


def _is_storable(text: str) -> bool:
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
