"""Recorded answers, given again as they were: for tests, for reviews, and where no model can be reached."""

from collections.abc import Mapping
from pathlib import Path

from .answers import Recording
from .port import Answer, FailedError, RefusedError, Request, UnusableGeneratorError


class ReplayGenerator:
    """Gives what another generator said to the very same request, and says so when it said nothing."""

    most_at_once: int | None = None

    def __init__(self, path: Path) -> None:
        self._recording = Recording(path)
        if not self._recording.identity:
            raise UnusableGeneratorError(f"{path} holds no recorded answers; name the file of a run.")

    @property
    def identity(self) -> Mapping[str, str]:
        """The generator that was recorded, marked: what is missing here is no failure of its own."""
        return {**self._recording.identity, "replayed": "yes"}

    def reserve(self, request: Request) -> int:
        """Nothing: it was paid for when it was recorded."""
        return 0

    def answer(self, request: Request) -> Answer:
        """The recorded answer, refusal or failure."""
        recorded = self._recording.find(request.key())
        if recorded is None:
            raise FailedError("not_recorded")
        if recorded.status == "refused":
            raise RefusedError(recorded.reason)
        if recorded.status == "failed":
            raise FailedError(recorded.reason)
        return Answer(recorded.text)
