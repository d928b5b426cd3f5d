"""Real dialogues that the made-up ones are compared with: their texts, never copied into a product."""

from __future__ import annotations

import json
from pathlib import Path


class NotAReferenceError(ValueError):
    """A file that cannot serve as a reference."""


def texts_of(path: Path) -> list[str]:
    """One text per dialogue of an ESConv file (`dialog` of `content`) or of records with `messages`."""
    try:
        raw = path.read_text(encoding="utf-8")
        held = (
            json.loads(raw)
            if raw.lstrip().startswith("[")
            else [json.loads(line) for line in raw.splitlines()]
        )
        texts = [
            "\n".join(turn["content"].strip() for turn in entry.get("dialog") or entry["messages"])
            for entry in held
        ]
    except OSError as fault:
        raise NotAReferenceError(f"{path} cannot be read: {fault.strerror}.") from fault
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise NotAReferenceError(f"{path} holds no dialogues of a known form.") from fault
    if len(texts) < 2:
        raise NotAReferenceError(f"{path} holds fewer than two dialogues.")
    return texts
