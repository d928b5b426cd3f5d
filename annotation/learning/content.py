"""The training's texts and questions, read from the files beside this one. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
ORDER = ("crisis", "modality", "empathy", "safety", "platform", "care")


@dataclass(frozen=True)
class Question:
    """One question with one right choice, and why it is right."""

    asks: str
    choices: tuple[str, ...]
    right: int
    because: str


@dataclass(frozen=True)
class Module:
    """A text of a few pages and the questions about it; ``sha256`` is of both."""

    key: str
    title: str
    minutes: int
    body: str
    questions: tuple[Question, ...]
    sha256: str


@dataclass(frozen=True)
class Turn:
    """What one side says, numbered and named as on the labelling page."""

    number: int
    role: str
    text: str


@dataclass(frozen=True)
class MockSample:
    """A made-up conversation, the answers its writer would give by dimension, and why."""

    number: int
    title: str
    turns: tuple[Turn, ...]
    answers: Mapping[str, Any]
    because: Mapping[str, str]

    @property
    def present(self) -> frozenset[str]:
        """Which speakers it has, as the scheme names them."""
        return frozenset("client" if turn.role == "user" else "assistant" for turn in self.turns)


@cache
def modules() -> tuple[Module, ...]:
    """Return the modules in the order of the training."""
    return tuple(_module(key) for key in ORDER)


@cache
def mock_samples() -> tuple[MockSample, ...]:
    """Return the samples of the mock session in order."""
    raw = yaml.safe_load((HERE / "mock_session.yaml").read_text(encoding="utf-8"))
    return tuple(_mock_sample(number, one) for number, one in enumerate(raw, start=1))


def _module(key: str) -> Module:
    body = (HERE / "modules" / f"{key}.md").read_text(encoding="utf-8")
    questions = (HERE / "modules" / f"{key}.yaml").read_text(encoding="utf-8")
    raw = yaml.safe_load(questions)
    return Module(
        key=key,
        title=raw["title"],
        minutes=raw["minutes"],
        body=body,
        questions=tuple(
            Question(one["asks"], tuple(one["choices"]), one["right"], one["because"])
            for one in raw["questions"]
        ),
        sha256=hashlib.sha256(f"{body}\n{questions}".encode()).hexdigest(),
    )


def _mock_sample(number: int, raw: dict[str, Any]) -> MockSample:
    return MockSample(
        number=number,
        title=raw["title"],
        turns=tuple(
            Turn(place, "user" if speaker == "client" else "assistant", text)
            for place, (speaker, text) in enumerate(((*one.items(),)[0] for one in raw["turns"]), start=1)
        ),
        answers=raw["answers"],
        because=raw["because"],
    )
