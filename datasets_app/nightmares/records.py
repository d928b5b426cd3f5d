"""A seed and a dialogue as records of the dataset contract, with all that they were made from."""

from collections.abc import Mapping, Sequence
from typing import Any

from datasets_app.generators.rounds import MODEL_LICENSE
from datasets_app.synthesis.dialogue import Turn
from datasets_app.synthesis.records import PHASE, content_hash, split_of

from .scenarios import SCENARIOS_VERSION, scenario_named

SEED_FAMILY = "edge_case_generator"
DIALOGUE_FAMILY = "edge_case_resulting_chats"
OWN_LICENSE = "synthetic-own"
PIPELINE = f"nightmare_scenarios/{SCENARIOS_VERSION}"


def record_of(
    turns: Sequence[Turn],
    *,
    key: str,
    seed_key: str,
    family: str,
    steps: Sequence[str],
    synthetic: Mapping[str, Any],
    scenario: str,
) -> dict[str, Any]:
    """The record; what is told of one extreme shares its sentences, so all of it stays in one split."""
    messages = [{"role": turn.role, "content": turn.content} for turn in turns]
    grammar = scenario_named(scenario).grammar
    is_own = synthetic["generator"] == "grammar"
    return {
        "messages": messages,
        "metadata": {
            "source_family": family,
            "source_key": key,
            "scenario": f"nightmare-{scenario}",
            "content_hash": content_hash(messages),
            "pii_status": "none_detected",
            "license_tag": OWN_LICENSE if is_own else MODEL_LICENSE,
            "split": split_of(f"nightmare-{scenario}"),
            "phase": PHASE,
            "provenance": {
                "original_key": seed_key,
                "processing_pipeline": PIPELINE,
                "dedup_status": "unique_within_run",
                "processing_steps": list(steps),
            },
            "conversation_length": len(messages),
            "total_tokens": sum(len(turn.content.split()) for turn in turns),
            "flags": ["synthetic", "content_warning", *(["restricted"] if grammar.is_restricted else [])],
            "synthetic": {"is_synthetic": True, **synthetic},
            "clinical": {
                "category": scenario,
                "title": grammar.title,
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
