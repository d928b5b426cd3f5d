"""What is asked of a generator and what it gives back, whichever it is."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Protocol

import orjson


@dataclass(frozen=True, slots=True)
class Request:
    """One dialogue asked for: by a plan, which a grammar follows, and in words, which a model follows."""

    name: str
    attempt: int
    seed: int
    plan: Mapping[str, str]
    facts: Mapping[str, str]
    system: str
    prompt: str

    def key(self) -> str:
        """A name for all that is asked; another word, another key."""
        return digest_of(asdict(self))

    def model_seed(self) -> int:
        """The seed of a model's throws: one of its own for each dialogue and attempt."""
        return int(self.key()[:8], 16) % 2**31


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written, as the generator counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def total(self) -> int:
        """Tokens in all."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """What a generator wrote, whole."""

    text: str
    usage: Usage = field(default_factory=Usage)


class GeneratorError(Exception):
    """Why there is no answer; `reason` can be counted and holds no text of a conversation."""

    def __init__(self, reason: str, usage: Usage | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.usage = usage or Usage()


class RefusedError(GeneratorError):
    """The generator will not answer this; asking again for the same gives the same."""


class FailedError(GeneratorError):
    """There is no usable answer, and asking again would not mend it."""


class BusyError(GeneratorError):
    """There is no answer now; asking again later may give one. It may have cost its `usage`."""

    def __init__(
        self, reason: str, retry_after_seconds: float | None = None, usage: Usage | None = None
    ) -> None:
        super().__init__(reason, usage)
        self.retry_after_seconds = retry_after_seconds


class UnreachableError(BusyError):
    """Nobody was there to be asked."""


class UnusableGeneratorError(Exception):
    """A generator that cannot be used at all, in a sentence with the remedy."""


class Generator(Protocol):
    """Where answers come from."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Kind, version and every setting that changes its answers; part of the key of an answer."""

    @property
    def most_at_once(self) -> int | None:
        """How many requests it can take at the same time; None where it sets no limit."""

    def reserve(self, request: Request) -> int:
        """The most tokens that the answer can cost."""

    def answer(self, request: Request) -> Answer:
        """The answer. Raises RefusedError, FailedError or BusyError."""


def digest_of(value: object) -> str:
    """A stable name for a value that JSON can write."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
