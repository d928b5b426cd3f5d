"""The steps that make a dataset of the records: compile, verify, publish."""

from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from datasets_app.compile.compiling import MANIFEST, Given, Request, compile_dataset, read_manifest
from datasets_app.compile.config import Config, SourceFacts
from datasets_app.compile.contract import SPLITS, GateResult, Manifest
from datasets_app.compile.store import write_json
from datasets_app.describing.card import is_rehearsal
from datasets_app.extraction.long_running import FAMILY as LONG_FAMILY
from datasets_app.nightmares.records import DIALOGUE_FAMILY, SEED_FAMILY
from datasets_app.phase1.making import DIALOGUES, LONG_SESSIONS, SEEDS
from datasets_app.phase1.plan import found_sources
from datasets_app.phase1.step import (
    Context,
    Outcome,
    Progress,
    StepError,
    WatchedRunner,
    code_of,
    verdict,
)
from datasets_app.publishing import is_published, publish
from datasets_app.storage import StorageError, folder_of, storage_at
from datasets_app.synthesis.records import FAMILY as EDGE_CASE_FAMILY
from datasets_app.synthesis.records import LICENSE_TAG
from datasets_app.verify import read_dataset, verify_dataset, verify_local

FINDINGS_SAID = 3  # of a gate; all of them are in the manifest
VERIFIED = "verified.json"
MADE = {  # by pattern of what earlier steps wrote
    "edge_cases/edge_cases-*.jsonl": EDGE_CASE_FAMILY,
    SEEDS: SEED_FAMILY,
    DIALOGUES: DIALOGUE_FAMILY,
    LONG_SESSIONS: LONG_FAMILY,
}
MAKERS = ("edge_cases", "nightmare_seeds", "nightmares", "long_sessions")
UNITS = {"map": "chunks", "write": "shards"}


def dataset_sources(context: Context) -> tuple[tuple[Given, ...], dict[str, SourceFacts]]:
    """What the dataset is compiled from, and what is known of each source. Raises StepError."""
    given: list[Given] = []
    facts: dict[str, SourceFacts] = {}
    for step in MAKERS:
        for name in context.outputs_of(step):
            family = next((MADE[one] for one in MADE if fnmatchcase(name, one)), None)
            if family:
                given.append(Given(context.workspace / name, family, name))
                is_own = family != LONG_FAMILY  # long sessions say their licence each
                facts[name] = SourceFacts(format="chatml", license=LICENSE_TAG if is_own else "unknown")
    for source in found_sources(context.plan):
        given.append(Given(source.path, source.rule.family, source.name))
        facts[source.name] = source.rule.facts
    return tuple(given), facts


def compile_inputs(context: Context) -> tuple[str, ...]:
    """The names of what is compiled."""
    return tuple(one.name for one in dataset_sources(context)[0])


def compile_facts(context: Context) -> object:
    """What the dataset hangs on."""
    given, facts = dataset_sources(context)
    config = context.plan.config
    return [
        code_of("compile", "sources", "verify.py"),
        [[one.name, one.family, context.hashes.of(one.path)] for one in given],
        msgspec.to_builtins(msgspec.structs.replace(config, sources=facts, protected=[])),
        [context.hashes.of(Path(path)) for path in config.protected],
        context.plan.seed,
    ]


def compile_all(context: Context, progress: Progress) -> Outcome:
    """Compile everything into the dataset of the workspace."""
    given, facts = dataset_sources(context)
    if not given:
        raise StepError("There is nothing to compile: name the folder of the sources by --sources.")
    config: Config = msgspec.structs.replace(context.plan.config, sources=facts)
    manifest = compile_dataset(
        Request(given, config, context.dataset, context.plan.seed),
        context.runner,
        verify_local,
        lambda step, done: progress.report(done, unit=UNITS.get(step, step)),
    )
    total = manifest.counters.total
    counts = {
        "read": total.records,
        "rejected": sum(total.rejected.values()),
        "exact duplicates": total.exact_duplicates,
        "near duplicates": total.near_duplicates,
        "decontaminated": total.decontaminated,
        "not drawn": total.not_drawn,
        "kept": total.kept,
    }
    return Outcome(
        outputs=tuple(f"dataset/{name}" for name in (MANIFEST, *files_of_build(manifest))),
        done=total.records,
        unit="records",
        counts=counts,
        gates=gates_of(manifest.gates),
        problem=unmet_of(manifest.gates),
    )


def files_of_build(manifest: Manifest) -> list[str]:
    """Every file the manifest names."""
    splits = [getattr(manifest.splits, name) for name in SPLITS]
    shards = [shard.path for split in splits for shard in (*split.shards, *split.parquet_shards)]
    return [*shards, manifest.provenance.uri]


def gates_of(gates: list[GateResult]) -> tuple[tuple[str, str], ...]:
    """The gates of a dataset as a step states them."""
    return tuple((gate.gate, verdict(gate.holds)) for gate in gates)


def unmet_of(gates: list[GateResult]) -> str:
    """The sentence for gates of a dataset that do not hold, with what was found first, or nothing."""
    found = [
        f"{gate.gate} ({'; '.join(gate.findings[:FINDINGS_SAID]).rstrip('.')})"
        for gate in gates
        if not gate.holds
    ]
    return f"These gates do not hold: {', '.join(found)}." if found else ""


def dataset_facts(context: Context) -> dict[str, str]:
    """The files of the compiled dataset. Raises StepError where it has to be compiled first."""
    return context.outputs_of("compile")


def verify_facts(context: Context) -> object:
    """What the verdicts hang on."""
    return [code_of("compile", "verify.py"), dataset_facts(context)]


def verify_all(context: Context, progress: Progress) -> Outcome:
    """Open every shard of the dataset in the workspace and try the gates."""
    manifest, gates = _tried(context, str(context.dataset), progress)
    write_json(context.path(VERIFIED), {"build_id": manifest.build_id, "gates": msgspec.to_builtins(gates)})
    return Outcome(
        outputs=(VERIFIED,),
        done=manifest.total_conversations,
        unit="records",
        counts={"records": manifest.total_conversations},
        gates=gates_of(gates),
        problem=unmet_of(gates),
    )


def _tried(context: Context, address: str, progress: Progress) -> tuple[Manifest, list[GateResult]]:
    manifest = read_dataset(address)
    shards = sum(len(getattr(manifest.splits, name).shards) for name in SPLITS)
    return manifest, verify_dataset(
        address, manifest, WatchedRunner(context.runner, progress, shards, "shards")
    )


def publish_facts(context: Context) -> object:
    """What is published hangs on; that it is still there is asked of the target."""
    return [code_of("describing", "publishing.py", "storage.py"), dataset_facts(context), context.plan.target]


def publish_all(context: Context, progress: Progress) -> Outcome:
    """Carry the dataset to the target, and try the gates on what stands there."""
    context.outputs_of("verify")
    address = folder_of(context.plan.target, MANIFEST)
    target = storage_at(address)
    _refuse_rehearsal_over_dataset(context, address)
    manifest = publish(
        storage_at(str(context.dataset)),
        target,
        lambda path, number, count: progress.report(number, count, "objects"),
    )
    _, gates = _tried(context, address, progress)
    return Outcome(
        done=len(files_of_build(manifest)),
        unit="objects",
        counts={"conversations": manifest.total_conversations},
        gates=gates_of(gates),
        problem=unmet_of(gates),
    )


def stands_published(context: Context) -> bool:
    """Whether everything is at the target as it was sent."""
    try:
        target = storage_at(folder_of(context.plan.target, MANIFEST))
        return is_published(storage_at(str(context.dataset)), target)
    except StorageError:
        return False  # the step says why when it is done again


def _refuse_rehearsal_over_dataset(context: Context, address: str) -> None:
    if not is_rehearsal(read_manifest(context.dataset / MANIFEST)):
        return
    if storage_at(address).read_pointer(MANIFEST) and not is_rehearsal(read_dataset(address)):
        raise StepError(
            f"{address} holds a dataset that is no rehearsal: publish the rehearsal somewhere else by --to."
        )
