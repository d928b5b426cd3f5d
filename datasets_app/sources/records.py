"""What every reader yields: a conversation, or the reason why a record is not one."""

from enum import StrEnum
from typing import Literal, get_args

import msgspec

Role = Literal["system", "user", "assistant"]
ROLES: tuple[Role, ...] = get_args(Role)


class Turn(msgspec.Struct, frozen=True, gc=False):
    """One utterance; `user` is the client and `assistant` the therapist."""

    role: Role
    content: str


class Dialogue(msgspec.Struct, frozen=True):
    """One conversation as its source gave it.

    `source_key` is unique within its file. `row` says where the record stands: the line in JSON Lines and
    in transcripts, the position from 1 in a JSON array, a run of JSON objects or Parquet, the spreadsheet row
    (the header is row 1) in CSV and TSV. `meta` holds short facts such as a topic, never text of the
    conversation, and under `flags` warnings that go with it, with commas between. `rejected_reply` is what a
    person found worse than the last turn, where the source compares replies.
    """

    turns: tuple[Turn, ...]
    source_key: str
    row: int
    meta: dict[str, str] = msgspec.field(default_factory=dict)
    rejected_reply: str = ""


class RejectReason(StrEnum):
    """Why a record was not taken, in words that can be counted."""

    BROKEN_JSON = "broken_json"
    NOT_AN_OBJECT = "not_an_object"
    BROKEN_ROW = "broken_row"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_SPEAKER = "unknown_speaker"
    EMPTY_TEXT = "empty_text"
    INVALID_TEXT = "invalid_text"
    TURN_TOO_LONG = "turn_too_long"
    TURN_ORDER = "turn_order"
    NO_TURNS = "no_turns"
    NO_PAIR = "no_pair"


REMEDIES: dict[RejectReason, str] = {
    RejectReason.BROKEN_JSON: "Write one complete JSON object on this line.",
    RejectReason.NOT_AN_OBJECT: "Write the record as a JSON object in braces.",
    RejectReason.BROKEN_ROW: "Give the row as many cells as the header; put quotes around text with commas.",
    RejectReason.MISSING_FIELD: "Add the field to the record.",
    RejectReason.WRONG_TYPE: "Give the field the type its format asks for; texts are plain strings.",
    RejectReason.UNKNOWN_SPEAKER: "Map the speaker's label to user, assistant or system.",
    RejectReason.EMPTY_TEXT: "Fill in the text or remove the record.",
    RejectReason.INVALID_TEXT: "Remove NUL characters and halves of surrogate pairs from the text.",
    RejectReason.TURN_TOO_LONG: "Split the turn, or raise the limit for one turn.",
    RejectReason.TURN_ORDER: "Number the turns of the conversation without gaps, each number once.",
    RejectReason.NO_TURNS: "Give the conversation at least one turn of a client or a therapist.",
    RejectReason.NO_PAIR: "Give two different replies to one and the same conversation.",
}


class Reject(msgspec.Struct, frozen=True):
    """A record that was not taken, where it stands and what to do; it holds no text of the conversation."""

    row: int
    reason: RejectReason
    field: str
    remedy: str

    @classmethod
    def because(cls, reason: RejectReason, *, row: int, field: str = "") -> "Reject":
        """The reject for `reason`, with the remedy that belongs to it."""
        return cls(row=row, reason=reason, field=field, remedy=REMEDIES[reason])


class SourceError(Exception):
    """The file as a whole cannot be read any further; nothing of it should be kept.

    `problem` and `remedy` are clauses without a full stop and hold no text of the conversation. `row` is
    counted as in `Dialogue`, or is a line number where the records could not be told apart yet.
    """

    def __init__(
        self, file: str, problem: str, remedy: str, *, row: int | None = None, field: str = ""
    ) -> None:
        super().__init__(file, problem, remedy)
        self.file = file
        self.problem = problem
        self.remedy = remedy
        self.row = row
        self.field = field

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", row {self.row}"
        if self.field:
            place += f", field {self.field}"
        return f"{place}: {self.problem}; {self.remedy}."
