"""One dialogue as a record of the dataset contract, with what it was made from."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .chance import number_of
from .dialogue import Told
from .grammar import GRAMMAR_VERSION, category_grammar

FAMILY = "edge_case_synthetic"
LICENSE_TAG = "synthetic-own"
PHASE = "stage3_edge_stress"
PIPELINE = f"edge_case_grammar/{GRAMMAR_VERSION}"
VALIDATION_SHARE = (
    0.05  # the rest is for training; made-up text is never in the test split as if it were real
)
STEPS = ("plan", "tell", "safe_messaging", "novelty")


def record_of(told: Told, *, seed: int, attempt: int, region: str) -> dict[str, Any]:
    """The record of a dialogue; the same seed, grammar and plan give the same record."""
    messages = [{"role": turn.role, "content": turn.content} for turn in told.turns]
    key = f"edge-{seed}-{told.plan.category}-{told.plan.number:04d}"
    grammar = category_grammar(told.plan.category)
    return {
        "messages": messages,
        "metadata": {
            "source_family": FAMILY,
            "source_key": key,
            "category": grammar.name,
            "content_hash": content_hash(messages),
            "pii_status": "none_detected",
            "license_tag": LICENSE_TAG,
            "split": split_of(key),
            "phase": PHASE,
            "provenance": {
                "original_key": key,
                "processing_pipeline": PIPELINE,
                "dedup_status": "unique_within_run",
                "processing_steps": list(STEPS),
            },
            "conversation_length": len(messages),
            "total_tokens": sum(len(turn.content.split()) for turn in told.turns),
            "flags": _flags(told),
            "synthetic": {
                "is_synthetic": True,
                "generator": "grammar",
                "grammar_version": GRAMMAR_VERSION,
                "seed": seed,
                "attempt": attempt,
                "region": region,
                "plan": {"category": told.plan.category, "number": told.plan.number, **told.plan.levels},
                "acts": list(told.acts),
                "facts": dict(sorted(told.facts.items())),
            },
            "scenario": {
                "category": grammar.name,
                "severity": grammar.severity,
                "crisis_types": list(grammar.crisis_types),
                "clinical_construct": grammar.clinical_construct,
                "expected_response": list(grammar.expected_response),
                "prohibited": list(grammar.prohibited),
                "content_warning": grammar.content_warning,
                "is_restricted": grammar.is_restricted,
            },
        },
    }


def content_hash(messages: list[dict[str, str]]) -> str:
    """The contract's hash over roles and texts in order; the same encoding as for what is imported."""
    pairs = [[message["role"], message["content"]] for message in messages]
    canonical = json.dumps(pairs, ensure_ascii=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode("ascii")).hexdigest()


def split_of(key: str) -> str:
    """`train` or `val` by a stable hash of the key; never `test`."""
    return "val" if number_of("split", key) / 2**64 < VALIDATION_SHARE else "train"


def _flags(told: Told) -> list[str]:
    grammar = category_grammar(told.plan.category)
    flags = ["synthetic", "content_warning"]
    return [*flags, "restricted"] if grammar.is_restricted else flags
