"""Take the picks of a dataset into a campaign: all of them in one transaction, or none."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import msgspec
from django.db import transaction

from annotation.assignment.planning import revise_plan
from annotation.intake.services import BATCH_SIZE, refuse_selection
from annotation.models import Campaign, CampaignState, Sample, SampleIntake, SamplePick, SampleSelection
from datasets_app.compile.contract import Manifest
from datasets_app.describing.card import is_rehearsal
from datasets_app.importing.keeping import keep_from_dataset
from datasets_app.models import Conversation
from datasets_app.selection.documents import PickedUnit
from datasets_app.selection.pool import read_records, turns_of
from datasets_app.selection.selecting import Selected
from datasets_app.sources.records import Dialogue, Turn
from datasets_app.storage import storage_at
from datasets_app.verify import read_dataset
from prometheus_site.accounts.models import User

Turns = tuple[Turn, ...]


class DatasetChangedError(Exception):
    """Another dataset stands at the address than the one that was picked from."""


class RehearsalDatasetError(Exception):
    """The dataset was made to rehearse, and people should not label it."""


class _Origin(NamedTuple):
    family: str
    source: str
    license_tag: str
    is_synthetic: bool

    @property
    def name(self) -> str:
        """What the source is called here: of records under other terms, another source."""
        terms = f" ({self.license_tag[:60]}{', made up' if self.is_synthetic else ''})"
        return f"{self.family}/{self.source}"[: 200 - len(terms)] + terms


def take_in_selection(
    *, selected: Selected, campaign_slug: str, made_by: User | None = None
) -> SampleSelection:
    """Make every pick a sample of the campaign, weighted by the inverse of its inclusion probability.

    Raises UnknownCampaignError, AlreadySelectedError, MixedSamplesError, DatasetChangedError,
    RehearsalDatasetError and SourceWithdrawnError.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update(no_key=True).filter(slug=campaign_slug).first()
        refuse_selection(campaign_slug)
        campaign = cast(Campaign, locked)
        selection = SampleSelection.objects.create(
            campaign=campaign,
            dataset=selected.address,
            build_id=selected.report.build_id,
            seed=selected.report.seed,
            report=msgspec.to_builtins(selected.report),
            made_by=made_by,
        )
        _add_samples(selection, selected, _turns_of_picks(selected), made_by)
        if campaign.state == CampaignState.OPEN:
            revise_plan(campaign=campaign, because="samples arrived")
        return selection


def refuse_rehearsal(manifest: Manifest, address: str) -> None:
    """Raise RehearsalDatasetError where the dataset at the address is a rehearsal."""
    if is_rehearsal(manifest):
        raise RehearsalDatasetError(
            f"The dataset at {address} is a rehearsal, with more made-up dialogues than people should label. "
            "Let phase 1 run in earnest, then select from its dataset."
        )


def _turns_of_picks(selected: Selected) -> dict[int, Turns]:
    """The turns of each pick's whole conversation, by the pick's number."""
    manifest, storage = read_dataset(selected.address), storage_at(selected.address)
    if manifest.build_id != selected.report.build_id:
        raise DatasetChangedError(f"Another build stands at {selected.address} by now: select from it anew.")
    refuse_rehearsal(manifest, selected.address)
    by_shard: dict[str, dict[int, int]] = defaultdict(dict)
    for pick in selected.picks:
        by_shard[pick.shard_id][pick.line] = pick.number
    turns: dict[int, Turns] = {}
    for shard in (*manifest.splits.train.shards, *manifest.splits.val.shards):
        wanted = by_shard.get(shard.shard_id)
        if wanted:
            for line, record in enumerate(read_records(storage, shard), 1):
                if line in wanted:
                    turns[wanted[line]] = turns_of(record)
    return turns


def _add_samples(
    selection: SampleSelection, selected: Selected, turns: Mapping[int, Turns], made_by: User | None
) -> None:
    campaign = selection.campaign
    by_origin: dict[_Origin, list[PickedUnit]] = defaultdict(list)
    for pick in selected.picks:
        origin = _Origin(pick.source_family, pick.source, pick.license_tag, pick.is_synthetic)
        by_origin[origin].append(pick)
    for origin, picks in sorted(by_origin.items()):
        job, conversations = keep_from_dataset(
            source_name=origin.name,
            license_tag=origin.license_tag[:60],
            is_synthetic=origin.is_synthetic,
            build_id=selection.build_id,
            dialogues=[_dialogue(pick, turns[pick.number]) for pick in picks],
            kept_by=made_by,
        )
        SampleIntake.objects.create(import_job=job, campaign=campaign, sample_count=len(picks))
        samples = [
            _sample(campaign, pick, conversation, turns[pick.number])
            for pick, conversation in zip(picks, conversations, strict=True)
        ]
        Sample.objects.bulk_create(samples, batch_size=BATCH_SIZE)
        SamplePick.objects.bulk_create(_picks(selection, samples, picks), batch_size=BATCH_SIZE)


def _dialogue(pick: PickedUnit, turns: Turns) -> Dialogue:
    meta = {"topic": pick.topic.replace("_", " ")} if pick.topic else {}
    return Dialogue(turns, source_key=pick.source_key, row=pick.number, meta=meta)


def _sample(campaign: Campaign, pick: PickedUnit, conversation: Conversation, turns: Turns) -> Sample:
    roles = {turn.role for turn in turns[pick.window_start : pick.window_stop]}
    return Sample(
        campaign=campaign,
        conversation=conversation,
        window_start=pick.window_start,
        window_stop=pick.window_stop,
        number=pick.number,
        has_client_turn="user" in roles,
        has_assistant_turn="assistant" in roles,
        is_estimated_severe=pick.is_estimated_severe,
        sampling_weight=1 / pick.inclusion_probability,
    )


def _picks(
    selection: SampleSelection, samples: Sequence[Sample], picks: Sequence[PickedUnit]
) -> list[SamplePick]:
    return [
        SamplePick(
            sample=sample,
            selection=selection,
            reason=pick.reason,
            category=pick.category[:60],
            difficulty=pick.difficulty,
            origin=pick.origin[:60],
            scores=pick.scores,
            inclusion_probability=pick.inclusion_probability,
            content_hash=pick.content_hash,
        )
        for sample, pick in zip(samples, picks, strict=True)
    ]
