"""What a person may tell the readers about a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from .records import ROLES, Role

SPEAKERS: dict[str, Role] = {
    **dict.fromkeys(
        ("therapist", "counselor", "counsellor", "clinician", "assistant", "gpt", "bot", "listener"),
        "assistant",
    ),
    **dict.fromkeys(("client", "patient", "user", "human", "seeker", "speaker"), "user"),
    "system": "system",
}


@dataclass(frozen=True)
class ReadOptions:
    """Choices for one file; the defaults suit a well-formed file in UTF-8.

    `encoding` is used where the file has no byte order mark. `columns` maps the names that the delimited
    reader knows to columns of the file. `speakers` maps further labels to user, assistant or system.
    `max_line_bytes` limits one line as well as one whole record, so that memory stays bounded, and
    `max_plain_bytes` all that is read of a file, unpacked; None reads any length.
    """

    encoding: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    speakers: Mapping[str, Role] = field(default_factory=dict)
    max_turn_characters: int = 100_000
    max_line_bytes: int = 64 * 1024 * 1024
    max_plain_bytes: int | None = None

    def __post_init__(self) -> None:
        for label, role in self.speakers.items():
            if role not in ROLES:
                raise ValueError(f"The speaker {label!r} must be mapped to one of {', '.join(ROLES)}.")

    def role_of(self, label: str) -> Role | None:
        """The role of a speaker's label, whatever its case and spacing, or None when it is unknown."""
        return self.roles.get(label) or self.roles.get(_folded(label))

    def with_labels(self, labels: Mapping[str, Role]) -> "ReadOptions":
        """These options for a format that has labels of its own; what a person has mapped goes before."""
        return replace(self, speakers={**labels, **self.speakers})

    @cached_property
    def roles(self) -> dict[str, Role]:
        """The roles of all labels that are known, as they are written here."""
        return {**SPEAKERS, **{_folded(label): role for label, role in self.speakers.items()}}


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()
