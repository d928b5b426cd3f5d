"""The steps that make records: edge cases, seeds and dialogues of the extremes, long sessions of sources."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from datasets_app.compile.chunks import SourceFile
from datasets_app.compile.store import read_json, write_json
from datasets_app.extraction.extracting import (
    NoLongSessionsError,
    extract_from,
    left_out_beside,
    report_beside,
)
from datasets_app.extraction.long_running import FAMILY as LONG_FAMILY
from datasets_app.generators.answers import AnswerFile
from datasets_app.generators.asking import Asker, Limits
from datasets_app.generators.edge_case_files import report_beside as edge_case_report_beside
from datasets_app.generators.edge_case_files import write_edge_cases
from datasets_app.generators.rounds import Rounds
from datasets_app.nightmares import files as nightmare_files
from datasets_app.nightmares.hydrating import Wish
from datasets_app.nightmares.scenarios import chosen_scenarios
from datasets_app.nightmares.seeds import SeedOrder
from datasets_app.nightmares.telling import GrammarGenerator
from datasets_app.phase1.plan import found_sources
from datasets_app.phase1.step import Context, Outcome, Progress, code_of, unmet
from datasets_app.synthesis.generation import Order, generate

EDGE_CASES = "edge_cases"
SEEDS, DIALOGUES = "nightmares/seeds.jsonl", "nightmares/dialogues.jsonl"
LONG_SESSIONS = "long_sessions/long_sessions.jsonl"
ANSWERS = "nightmares/dialogues.answers.jsonl"


def edge_case_orders(context: Context) -> list[tuple[Path, Order]]:
    """The files of edge cases and what each holds: as many as the scale, each of a seed of its own."""
    plan = context.plan
    if not plan.edge_cases:
        return []
    count = plan.edge_cases // plan.scale
    return [
        (
            context.workspace / EDGE_CASES / f"{EDGE_CASES}-{number + 1:02}.jsonl",
            Order(count, plan.categories, plan.seed + number, plan.region),
        )
        for number in range(plan.scale)
    ]


def edge_case_facts(context: Context) -> object:
    """What the edge cases hang on."""
    orders = [asdict(order) for _path, order in edge_case_orders(context)]
    return [code_of("synthesis", "generators"), orders]


def make_edge_cases(context: Context, progress: Progress) -> Outcome:
    """Write every file of edge cases that is not there and whole, and remove those of other plans."""
    orders = edge_case_orders(context)
    total, before = context.plan.edge_cases, 0
    outputs: list[Path] = []
    gates: list[tuple[str, str]] = []
    records = 0
    for path, order in orders:
        context.path(f"{EDGE_CASES}/{path.name}")
        report = _edge_case_file(context, path, order, progress, before, total)
        before += order.count
        records += report["records"]
        within = f"{path.stem}: " if len(orders) > 1 else ""
        gates += [(within + gate["name"], gate["verdict"]) for gate in report["gates"]]
        outputs += [path, edge_case_report_beside(path)]
    _remove_others(context.workspace / EDGE_CASES, {*outputs, *(_note_of(path) for path, _ in orders)})
    return Outcome(
        outputs=_named(context, outputs),
        done=records,
        counts={"dialogues": records},
        gates=tuple(gates),
        problem=unmet(tuple(gates)),
    )


def _edge_case_file(
    context: Context, path: Path, order: Order, progress: Progress, before: int, total: int
) -> dict[str, Any]:
    """The report of one file, which is made unless a stopped run has left it whole."""
    report_path, note = edge_case_report_beside(path), _note_of(path)
    made_from = [code_of("synthesis", "generators"), msgspec.to_builtins(asdict(order))]
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = read_json(note)
        is_same = kept["made_from"] == made_from
        if is_same and kept["sha256"] == [context.hashes.of(path), context.hashes.of(report_path)]:
            progress.report(before + order.count, total)
            found: dict[str, Any] = read_json(report_path)
            return found
    progress.report(before, total)
    results = []
    for result in generate(
        order,
        processes=context.plan.processes,
        on_progress=lambda done: progress.report(before + done, total),
    ):
        results.append(result)
    report = write_edge_cases(path, order, results)
    write_json(
        note,
        {"made_from": made_from, "sha256": [context.hashes.of(path), context.hashes.of(report_path)]},
    )
    return report


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.stem}.json")


def _remove_others(folder: Path, keep: set[Path]) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path not in keep:
            path.unlink()


def seed_order(context: Context) -> SeedOrder:
    """The seeds that are wanted."""
    plan = context.plan
    return SeedOrder(plan.nightmare_seeds, chosen_scenarios("all"), plan.seed, plan.region)


def seed_facts(context: Context) -> object:
    """What the seeds hang on."""
    return [
        code_of("nightmares", "generators", "synthesis"),
        msgspec.to_builtins(asdict(seed_order(context))),
    ]


def make_seeds(context: Context, progress: Progress) -> Outcome:
    """Write the seeds; those that cannot be told safely and anew are counted as missing."""
    order = seed_order(context)
    if not order.count:
        return Outcome()
    path = context.path(SEEDS)
    counts = nightmare_files.write_seeds(path, order, lambda done: progress.report(done, order.count))
    made = counts.made.total()
    return Outcome((SEEDS,), done=made, counts={"seeds": made, "missing": len(counts.missing)})


def dialogue_facts(context: Context) -> object:
    """What the dialogues hang on."""
    seeds = context.outputs_of("nightmare_seeds")
    return [seed_facts(context), seeds, context.plan.dialogues_per_seed]


def make_dialogues(context: Context, progress: Progress) -> Outcome:
    """Tell the dialogues of the seeds; each answer is kept as it comes, so that a stop loses none."""
    if SEEDS not in context.outputs_of("nightmare_seeds"):
        return Outcome()
    out, wish = context.path(DIALOGUES), Wish(context.plan.dialogues_per_seed, context.plan.seed)
    total = context.plan.nightmare_seeds * wish.per_seed
    generator = GrammarGenerator()
    with (
        AnswerFile(context.path(ANSWERS)) as answers,
        Asker(generator, answers, Limits(at_once=1)) as asker,
    ):
        rounds = Rounds(asker, generator.identity)
        seeds = context.workspace / SEEDS
        report = nightmare_files.write_dialogues(
            out, seeds, wish, rounds, asker, lambda done: progress.report(done, total)
        )
    outputs = [out, nightmare_files.report_beside(out), nightmare_files.failures_beside(out)]
    counts = {"dialogues": report["dialogues"], "not there": report["failures"]}
    return Outcome(_named(context, outputs), done=report["dialogues"], counts=counts)


def long_session_sources(context: Context) -> list[SourceFile]:
    """The sources that are looked through for long sessions."""
    return [
        SourceFile(str(one.path.resolve()), one.name, LONG_FAMILY, one.rule.facts)
        for one in found_sources(context.plan)
        if one.rule.has_long_sessions
    ]


def long_session_facts(context: Context) -> object:
    """What the long sessions hang on."""
    sources = [
        [source.name, msgspec.to_builtins(source.facts), context.hashes.of(Path(source.path))]
        for source in long_session_sources(context)
    ]
    phase = context.plan.config.families[LONG_FAMILY].phase
    return [code_of("extraction", "sources", "compile"), sources, phase]


def extract(context: Context, progress: Progress) -> Outcome:
    """Take the long sessions out of the sources; there may be none."""
    sources = long_session_sources(context)
    out = context.path(LONG_SESSIONS)
    files = [out, left_out_beside(out), report_beside(out)]
    seen: dict[str, int] = {}

    def say(source: str, done: int) -> None:
        seen[source] = done
        progress.report(sum(seen.values()))

    try:
        tallies = extract_from(sources, context.plan.config, out, say) if sources else []
    except NoLongSessionsError:
        tallies = []
    if not tallies:
        for path in files:
            path.unlink(missing_ok=True)
        return Outcome(done=sum(seen.values()))
    useless = [tally.name for tally in tallies if tally.is_all_rejected]
    counts = {
        "taken": sum(tally.taken for tally in tallies),
        "too short": sum(tally.too_short for tally in tallies),
        "repeated": sum(tally.duplicates for tally in tallies),
        "rejected": sum(tally.rejected.total() for tally in tallies),
    }
    return Outcome(
        _named(context, files),
        done=sum(tally.records for tally in tallies),
        counts=counts,
        problem=f"Every record was rejected of {', '.join(useless)}: look at its format." if useless else "",
    )


def source_names(context: Context) -> Iterator[str]:
    """The names of the sources that are looked through."""
    return (source.name for source in long_session_sources(context))


def _named(context: Context, paths: list[Path]) -> tuple[str, ...]:
    return tuple(path.relative_to(context.workspace).as_posix() for path in paths)
