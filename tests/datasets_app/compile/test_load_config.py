"""The configuration: what is shipped, what may be laid over it, and faults named with file and field."""

from pathlib import Path

import pytest

from datasets_app.compile.config import ConfigError, load_config

FAMILIES = {
    "edge_case_generator", "edge_case_resulting_chats", "edge_case_synthetic", "long_running_therapy",
    "mental_health_datasets", "video_transcripts", "voice_persona", "safety_guardrails", "sarcasm", "cptsd",
    "addiction", "experimental", "roleplay_simulator", "dpo_preference", "professional_therapeutic",
    "cot_reasoning", "priority",
}  # fmt: skip


def test_the_shipped_families_add_up_to_the_foundation_dataset() -> None:
    config = load_config()
    assert set(config.families) == FAMILIES
    assert sum(family.target for family in config.families.values()) == 60_000


def test_what_was_wholly_held_out_once_is_now_held_out_by_session() -> None:
    shares = {holdout.family: holdout.share_of_sessions for holdout in load_config().holdouts}
    assert shares == {"voice_persona": 0.1, "long_running_therapy": 0.1, "sarcasm": 0.1}


def test_a_file_is_laid_over_the_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("families:\n  priority: {target: 5, phase: x, at_most: 7}\nprotected: [gold.jsonl]\n")
    config = load_config(path)
    assert config.families["priority"].at_most == 7
    assert config.families["sarcasm"].target == 1000
    assert config.protected == [str(tmp_path / "gold.jsonl")]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("familes: {}\n", "familes"),
        ("families: 3\n", "families"),
        ("families:\n  priority: {target: many, phase: x}\n", "families.priority.target"),
        ("families:\n  priority: {target: -1, phase: x}\n", "families.priority.target"),
        ("families:\n  priority: {phase: x}\n", "families.priority"),
        ("families:\n  priority: {target: 1, phase: x, colour: red}\n", "families.priority"),
        ("mixes:\n  one: {priority: 0.5}\n", "mixes.one"),
        ("mixes:\n  one: {nobody: 1.0}\n", "mixes.one.nobody"),
        ("holdouts:\n  - {family: nobody, sources: [a]}\n", "holdouts[0].family"),
        ("holdouts:\n  - {family: sarcasm}\n", "holdouts[0]"),
        ("holdouts:\n  - {family: sarcasm, share_of_sessions: 2}\n", "holdouts[0].share_of_sessions"),
        ("sources:\n  a.csv: {speakers: {Dr: doctor}}\n", "sources.a.csv.speakers[...]"),
        ("near_duplicates: {threshold: 0}\n", "near_duplicates.threshold"),
        ("alarms: {removed: 1.5}\n", "alarms.removed"),
        ("protected: gold.jsonl\n", "protected"),
        ("families: [\n", "line 2"),
        ("alarms: {removed: 0.1}\nalarms: {removed: 0.9}\n", "line 2"),
    ],
)
def test_a_fault_is_named_with_file_and_field(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert (caught.value.file, caught.value.field) == ("mine.yaml", field)
    assert str(caught.value).startswith(f"mine.yaml: {field}: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^mine\.yaml: the file cannot be read"):
        load_config(tmp_path / "mine.yaml")
