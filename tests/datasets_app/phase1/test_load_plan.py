"""A plan laid over the shipped one: its files and fields are checked, each fault with place and remedy."""

from pathlib import Path

import pytest

from datasets_app.phase1.plan import SHIPPED, PlanError, found_sources, load_plan

from .making import small_plan, write_plan, write_sources


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sources(tmp_path / "sources")
    return tmp_path


def test_the_shipped_plan_wants_ten_thousand_over_all_categories_and_sixty_thousand_in_all() -> None:
    plan = load_plan(None)
    assert (plan.edge_cases, len(plan.categories), plan.source_folder) == (10_000, 25, None)
    assert sum(family.target for family in plan.config.families.values()) == 60_000
    assert plan.target == "s3://pixel-data/final_dataset"
    assert not plan.is_rehearsal


def test_what_is_given_is_laid_over_field_by_field(folder: Path) -> None:
    plan = load_plan(write_plan(folder / "plan.yaml"), seed=3, sources=folder / "sources", target="elsewhere")
    assert (plan.seed, plan.region, plan.edge_cases, plan.dialogues_per_seed) == (3, "gb", 0, 1)
    assert plan.target == str(Path("elsewhere").resolve())
    assert small_plan(folder).target == str(folder / "published")


def test_paths_are_relative_to_the_file(folder: Path) -> None:
    (folder / "gold.jsonl").write_text("{}")
    text = "source_folder: sources\ndataset: {protected: [gold.jsonl]}\nsources: []\nignored: ['*']"
    plan = load_plan(write_plan(folder / "plan.yaml", text))
    assert plan.source_folder == folder / "sources"
    assert plan.config.protected == [str(folder / "gold.jsonl")]


def test_every_source_has_the_first_pattern_that_fits(folder: Path) -> None:
    found = {source.name: source.rule.family for source in found_sources(small_plan(folder))}
    assert found == {
        "more/drink.jsonl": "addiction",
        "talks/long.jsonl": "professional_therapeutic",
        "talks/short.jsonl": "professional_therapeutic",
    }


def test_a_source_of_no_pattern_stops_the_run_before_it_begins(folder: Path) -> None:
    (folder / "sources" / "stray.jsonl").write_text("{}")
    with pytest.raises(PlanError, match=r"^stray\.jsonl in .* fits no pattern under sources: give it one"):
        small_plan(folder)


def test_a_rehearsal_has_a_place_of_its_own_unless_one_is_named(folder: Path) -> None:
    plan = small_plan(folder, scale=3)
    assert (plan.is_rehearsal, plan.nightmare_seeds) == (True, 60)
    assert plan.target == str(folder / "published" / "rehearsal")
    assert load_plan(None, scale=2).target == "s3://pixel-data/final_dataset/rehearsal"
    assert load_plan(None, scale=2, target="s3://mine/trial").target == "s3://mine/trial"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: -1", r"^plan\.yaml: seed: expected `int` >= 0"),
        ("edge_cases: {cuont: 4}", r"^plan\.yaml: edge_cases: .*cuont"),
        ("edge_cases: {categories: [moods]}", "There is no category moods"),
        ("edge_cases: {count: 1}", r"^plan\.yaml: edge_cases\.count: it is 0 or from 2 on"),
        ("region: moon", "There is no region 'moon'"),
        (
            "sources: [{pattern: '*', family: nobody}]",
            r"^plan\.yaml: sources\[0\]\.family: there is no family",
        ),
        ("dataset: {families: {sarcasm: {target: few, phase: x}}}", r"families\.sarcasm\.target"),
        ("dataset: {sources: {a: {}}}", r"^plan\.yaml: dataset\.sources: .* stands under sources"),
        ("seed: [", "this is not YAML"),
        ("source_folder: absent", "absent is no folder: name the folder of the sources by --sources"),
    ],
)
def test_faults_are_named_with_file_field_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        load_plan(write_plan(tmp_path / "plan.yaml", text))


def test_numbers_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="--scale 0"):
        load_plan(None, scale=0)
    with pytest.raises(PlanError, match="--seed -1"):
        load_plan(None, seed=-1)
    with pytest.raises(PlanError, match=r"^absent\.yaml: the file cannot be read"):
        load_plan(tmp_path / "absent.yaml")
    assert SHIPPED.is_file()
