"""The last step: the report of the run, card and metadata of the dataset, and what changed since the last."""

import shutil
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from datasets_app.compile.compiling import MANIFEST, read_manifest
from datasets_app.compile.contract import SPLITS, UNDECODABLE, GateResult, Manifest, SourceCounts
from datasets_app.compile.store import read_json, write_json
from datasets_app.describing.card import card_of, is_rehearsal
from datasets_app.describing.croissant import croissant_of
from datasets_app.describing.difference import Build, Difference, difference_of
from datasets_app.generators.edge_case_files import report_beside
from datasets_app.phase1.building import VERIFIED, dataset_facts, gates_of
from datasets_app.phase1.making import edge_case_orders
from datasets_app.phase1.plan import FoundSource, fits, found_sources
from datasets_app.phase1.report import (
    REPORT_FILE,
    FamilyLine,
    Figure,
    Gate,
    Removal,
    Report,
    SourceLine,
)
from datasets_app.phase1.state import MET
from datasets_app.phase1.step import Context, Outcome, Progress, code_of
from datasets_app.publishing import CARD, CROISSANT
from datasets_app.storage import LocalStorage, StorageError
from datasets_app.synthesis.reference import NotAReferenceError, texts_of
from datasets_app.synthesis.report import reference_figures

DIFFERENCE, DESCRIBED = "difference.json", "described-manifest.json"
LENGTHS = (2, 4, 8, 12, 20, 40, 80)  # turns from which a bar of the histogram begins
SMALLEST_IS_WORST = ("distinct-3",)
NO_REFERENCE = "no source fits the pattern of the reference"


class _Facts(msgspec.Struct):
    conversation_length: int = 0


class _Line(msgspec.Struct):
    metadata: _Facts


def describe_facts(context: Context) -> object:
    """What the descriptions hang on."""
    reference = _reference(context)
    return [
        code_of("describing", "phase1", "synthesis"),
        dataset_facts(context),
        context.outputs_of("edge_cases"),
        context.outputs_of("verify"),
        context.hashes.of(reference.path) if reference else "",
        _published_at(context),
    ]


def describe(context: Context, progress: Progress) -> Outcome:
    """Write the report, the card, the metadata and the difference, and remove builds of before."""
    manifest = read_manifest(context.dataset / MANIFEST)
    lengths = _lengths(context, manifest, progress)
    changes = _changes(context, manifest)
    report = _report(context, manifest, lengths, changes)
    write_json(context.path(REPORT_FILE), msgspec.to_builtins(report))
    context.path(CARD).write_text(card_of(manifest), encoding="utf-8")
    write_json(context.path(CROISSANT), croissant_of(manifest, report.published_at or str(context.dataset)))
    write_json(context.path(DESCRIBED), msgspec.to_builtins(manifest))
    for build in (context.dataset / "builds").iterdir():
        if build.name != manifest.build_id:  # may hold what was withdrawn
            shutil.rmtree(build)
    return Outcome(
        outputs=(REPORT_FILE, CARD, CROISSANT, DIFFERENCE),
        done=manifest.total_conversations,
        unit="records",
        counts={"conversations": report.conversations, "wanted": report.wanted, "short": report.short},
        gates=gates_of(_gates(context)),
    )


def _report(context: Context, manifest: Manifest, lengths: Counter[int], changes: tuple[str, ...]) -> Report:
    families = tuple(_families(context, manifest))
    figures, reference = _diversity(context)
    counters = manifest.counters.sources
    return Report(
        build_id=manifest.build_id,
        generated_at=manifest.generated_at,
        is_rehearsal=is_rehearsal(manifest),
        conversations=manifest.total_conversations,
        wanted=sum(family.target for family in families),
        short=sum(family.short for family in families),
        families=families,
        lengths=tuple(_histogram(lengths)),
        removals=tuple(one for name, counts in counters.items() for one in _removals(name, counts)),
        sources=tuple(
            SourceLine(
                one.uri, one.source_family, one.license, one.rows, counters[one.uri].kept if one.rows else 0
            )
            for one in manifest.inputs
        ),
        diversity=figures,
        reference=reference,
        gates=tuple(Gate(one.gate, one.holds, tuple(one.findings)) for one in _gates(context)),
        alarms=tuple(manifest.alarms),
        published_at=_published_at(context),
        changes=changes,
    )


def _families(context: Context, manifest: Manifest) -> Iterator[FamilyLine]:
    for name, family in manifest.source_families.items():
        is_synthetic = context.plan.config.families[name].is_synthetic
        yield FamilyLine(name, family.target, family.conversations, family.shortfall, is_synthetic)


def _removals(source: str, counts: SourceCounts) -> Iterator[Removal]:
    reasons = {
        "exact_duplicate": counts.exact_duplicates,
        "near_duplicate": counts.near_duplicates,
        "decontaminated": counts.decontaminated,
        "not_drawn": counts.not_drawn,
        **counts.rejected,
    }
    return (Removal(source, reason, count) for reason, count in reasons.items() if count)


def _lengths(context: Context, manifest: Manifest, progress: Progress) -> Counter[int]:
    decoder, lengths = msgspec.json.Decoder(_Line), Counter[int]()
    shards = [shard for name in SPLITS for shard in getattr(manifest.splits, name).shards]
    for number, shard in enumerate(shards):
        progress.report(number, len(shards), "shards")
        lines = decoder.decode_lines((context.dataset / shard.path).read_bytes())
        lengths.update(line.metadata.conversation_length for line in lines)
    return lengths


def _histogram(lengths: Counter[int]) -> Iterator[tuple[str, int]]:
    for begin, end in zip(LENGTHS, (*LENGTHS[1:], None), strict=True):
        name = f"{begin} to {end - 1}" if end else f"{begin} and more"
        yield name, sum(count for turns, count in lengths.items() if begin <= turns < (end or turns + 1))


def _gates(context: Context) -> list[GateResult]:
    found = read_json(context.workspace / VERIFIED)["gates"]
    return msgspec.convert(found, list[GateResult])


def _published_at(context: Context) -> str:
    return context.plan.target if context.is_current("publish") else ""


def _reference(context: Context) -> FoundSource | None:
    pattern = context.plan.reference
    return next((one for one in found_sources(context.plan) if pattern and fits(one.name, pattern)), None)


def _diversity(context: Context) -> tuple[tuple[Figure, ...], str]:
    """Each gate of the edge cases, of several files the worst, beside the same of the reference."""
    source, real, said = _reference(context), {}, NO_REFERENCE
    if source:
        try:
            measured = reference_figures(texts_of(source.path))
            real, said = _by_gate(measured), source.name
        except NotAReferenceError as error:
            said = str(error)
    reports = [read_json(report_beside(path)) for path, _order in edge_case_orders(context)]
    by_name: dict[str, list[dict[str, Any]]] = {}
    for report in reports:
        for gate in report["gates"]:
            by_name.setdefault(gate["name"], []).append(gate)
    return tuple(_figure(name, gates, real) for name, gates in by_name.items()), said


def _by_gate(measured: dict[str, Any] | str) -> dict[str, float]:
    if isinstance(measured, str):
        return {}
    return {
        "self-BLEU-4": measured["self_bleu_4"],
        "pairs within a category with Jaccard of .7": measured["jaccard"]["at_least_seven_tenths"],
        "pairs within a category with Jaccard of .5": measured["jaccard"]["at_least_half"],
        "distinct-3": measured["distinct_3"],
    }


def _figure(name: str, gates: list[dict[str, Any]], real: dict[str, float]) -> Figure:
    sign = -1 if name in SMALLEST_IS_WORST else 1
    worst = max(gates, key=lambda gate: (gate["verdict"] != MET, sign * gate["measured"]))
    reference = next((value for start, value in real.items() if name.startswith(start)), None)
    return Figure(name, worst["measured"], reference, worst["allowed"], worst["verdict"])


def _changes(context: Context, manifest: Manifest) -> tuple[str, ...]:
    """What the dataset has and has not since the one that was described last, which stands until then."""
    place = context.path(DIFFERENCE)
    try:
        before = read_manifest(context.workspace / DESCRIBED)
    except (OSError, *UNDECODABLE):
        write_json(place, {"after": manifest.build_id, "changes": []})
        return ()
    if before.build_id == manifest.build_id and place.is_file():
        return tuple(read_json(place)["changes"])
    read = LocalStorage(context.dataset).read
    facts: dict[str, Any] = {"before": before.build_id, "after": manifest.build_id}
    try:
        found = difference_of(Build(before, read), Build(manifest, read))
    except StorageError as error:
        changes: tuple[str, ...] = (f"The build before cannot be compared with: {error}",)
    else:
        changes = tuple(_in_words(found, before.build_id, _published_at(context)))
        facts["difference"] = msgspec.to_builtins(found)
    write_json(place, {**facts, "changes": changes})
    return changes


def _in_words(found: Difference, before: str, published_at: str) -> Iterator[str]:
    for name in ("inputs_added", "inputs_removed", "inputs_changed", "parameters_changed"):
        if values := getattr(found, name):
            yield f"{name.replace('_', ' ').capitalize()}: {', '.join(values)}."
    yield f"{found.kept:,} records are in both."
    yield f"{found.shards_same} of {found.shards_of_after} shards are the same files."
    for name in ("added", "removed", "moved"):
        counts: Counter[str] = getattr(found, name)
        if counts:
            families = ", ".join(f"{family} {count:,}" for family, count in sorted(counts.items()))
            yield f"{counts.total():,} records {name}: {families}."
    if published_at and found.removed:
        yield (
            f"The build before, builds/{before}, stays at {published_at} until somebody removes it: it "
            "holds what was removed."
        )
