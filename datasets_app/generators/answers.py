"""Answers kept in a file as they come, so that nothing is asked or paid for twice."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from .port import Request, Usage, digest_of

Status = Literal["answered", "refused", "failed", "unanswered"]


class NotAnswersError(ValueError):
    """A file that holds no recorded answers, with the row and the remedy."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, refusal or failure, with who gave it; `text` is empty but for an answer.

    What was asked, perhaps paid for and not answered is kept for its tokens alone: it is asked for again.
    """

    key: str
    request: str
    name: str
    attempt: int
    identity: dict[str, str]
    status: Status
    reason: str = ""
    text: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def usage(self) -> Usage:
        """Its tokens."""
        return Usage(self.prompt_tokens, self.completion_tokens)


def key_of(request: Request, identity: Mapping[str, str]) -> str:
    """The key of an answer: all that is asked and all that decides who answers how."""
    return digest_of([request.key(), dict(identity)])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a line stands in the file."""

    start: int
    length: int


ANSWER_BEGINS = b'{"key":"'  # of a line that a stop cut off; anything else is somebody else's file


class AnswerFile:
    """The file of a run: each answer is written before it is used; a line cut off by a stop is dropped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, _Place] = {}
        self.spent_tokens = 0
        try:
            self._file = open(path, "a+b", opener=_for_us_alone)  # noqa: SIM115  closed by __exit__
        except OSError as error:
            raise NotAnswersError(
                f"{path} cannot be written ({error.strerror}): name another file by --answers."
            ) from None
        try:
            self._lock()
            self._file.truncate(self._read())
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotAnswersError(
                f"{self._path} is in use by another run; wait for it, or name another file."
            ) from None

    def __enter__(self) -> "AnswerFile":
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()

    def find(self, key: str) -> Recorded | None:
        """The answer with this key, if it is there."""
        place = self._places.get(key)
        if place is None:
            return None
        return _decoded(os.pread(self._file.fileno(), place.length, place.start), self._path, 0)

    def add(self, recorded: Recorded) -> None:
        """Write an answer through to the disk."""
        line = msgspec.json.encode(recorded) + b"\n"
        self._file.seek(0, os.SEEK_END)
        start = self._file.tell()
        self._file.write(line)
        self._file.flush()
        if recorded.usage.total:  # it was paid for, so it also outlives the machine
            os.fsync(self._file.fileno())
        self._note(recorded, _Place(start, len(line)))

    def _note(self, recorded: Recorded, place: _Place) -> None:
        if recorded.status != "unanswered":
            self._places[recorded.key] = place

    def _read(self) -> int:
        """Find each line; the length of what is whole."""
        self._file.seek(0)
        whole = 0
        for row, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                if not line.startswith(ANSWER_BEGINS[: len(line)]):
                    raise NotAnswersError(f"{self._path}, row {row}: not an answer; name another file.")
                break
            recorded = _decoded(line, self._path, row)
            self._note(recorded, _Place(whole, len(line)))
            self.spent_tokens += recorded.usage.total
            whole += len(line)
        return whole


class Recording:
    """The answers of an earlier run by what was asked, for `replay`; texts stay in the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, _Place] = {}
        self.identity: dict[str, str] = {}
        identities: dict[str, dict[str, str]] = {}
        for row, place, recorded in self._lines():
            if recorded.status == "unanswered":
                continue
            self.identity = self.identity or recorded.identity
            self._places.setdefault(recorded.request, place)
            if identities.setdefault(recorded.request, recorded.identity) != recorded.identity:
                raise NotAnswersError(
                    f"{path}, row {row}: two generators answered the same request; keep the answers of one."
                )

    def find(self, request: str) -> Recorded | None:
        """The answer to this request, if it is there."""
        place = self._places.get(request)
        if place is None:
            return None
        with self._path.open("rb") as file:
            file.seek(place.start)
            return _decoded(file.read(place.length), self._path, 0)

    def _lines(self) -> Iterator[tuple[int, _Place, Recorded]]:
        start = 0
        try:
            with self._path.open("rb") as file:
                for row, line in enumerate(file, 1):
                    if not line.endswith(b"\n"):
                        return  # cut off by a stop
                    yield row, _Place(start, len(line)), _decoded(line, self._path, row)
                    start += len(line)
        except OSError as error:
            raise NotAnswersError(f"{self._path} cannot be read: {error.strerror}.") from None


def _for_us_alone(path: str, flags: int) -> int:
    """Open a file that nobody else may read: it holds what was said."""
    return os.open(path, flags, 0o600)


def _decoded(line: bytes, path: Path, row: int) -> Recorded:
    try:
        return msgspec.json.decode(line, type=Recorded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAnswersError(
            f"{path}, row {row}: this is no recorded answer ({error}); name the file that a run wrote with "
            "--answers, or another one."
        ) from None
