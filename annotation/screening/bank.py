"""The question bank: what is asked, under which themes, and the key; read from data and checked."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SHIPPED_VERSION = "1.0"
_FOLDER = Path(__file__).parent / "bank"


class BankError(Exception):
    """The bank's data cannot be used; the message says where."""


@dataclass(frozen=True)
class Theme:
    """What a group of questions is about, and where to read about it again."""

    title: str
    read_again: str


@dataclass(frozen=True)
class Question:
    """A question with one right answer. ``explanation`` and ``answer`` are never shown to who is asked."""

    key: str
    theme: str
    clause: str
    text: str
    options: Mapping[str, str]
    answer: str
    explanation: str


@dataclass(frozen=True)
class Bank:
    version: str
    scheme: str
    themes: Mapping[str, Theme]
    questions: tuple[Question, ...]


def shipped_bank() -> dict[str, Any]:
    """Return the newest shipped version in its raw form, ready for `parse_bank` and for a JSON column."""
    raw: dict[str, Any] = yaml.safe_load((_FOLDER / f"{SHIPPED_VERSION}.yaml").read_text(encoding="utf-8"))
    return raw


def digest_of(raw: Mapping[str, Any]) -> str:
    """Return what two banks with the same content share."""
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()


def parse_bank(raw: Mapping[str, Any]) -> Bank:
    """Return the bank. Raises BankError: a key used twice, an unknown theme, an answer without option."""
    try:
        themes = {key: Theme(**theme) for key, theme in raw["themes"].items()}
        questions = tuple(Question(**question) for question in raw["questions"])
        bank = Bank(raw["version"], raw["scheme"], themes, questions)
    except (KeyError, TypeError, AttributeError) as missing:
        raise BankError(f"The bank does not have the expected shape: {missing}.") from missing
    seen: set[str] = set()
    for question in bank.questions:
        if question.key in seen:
            raise BankError(f"The question {question.key} appears twice.")
        if question.theme not in bank.themes:
            raise BankError(f"The question {question.key} names the unknown theme {question.theme}.")
        if question.answer not in question.options:
            raise BankError(f"The answer of {question.key} is not among its options.")
        seen.add(question.key)
    return bank
