"""Turn finished imports into samples of a campaign."""

import logging

from django.db import transaction
from django.db.models import Max, QuerySet

from annotation.assignment.planning import revise_plan
from annotation.models import Campaign, CampaignState, Sample, SampleIntake, SampleSelection
from datasets_app.models import Conversation, ImportJob, ImportState
from datasets_app.sources.windows import windows
from datasets_app.texts import read_turns
from prometheus_site.core.sealing import TextDamagedError, TextErasedError

logger = logging.getLogger(__name__)

BATCH_SIZE = 500


class UnknownCampaignError(Exception):
    """The import names a campaign that is not there."""


class MixedSamplesError(Exception):
    """Samples of a selection and of imports in one campaign: their weights would mean nothing together."""


class AlreadySelectedError(Exception):
    """The campaign has a selection: with two, nobody could tell the chance a sample had."""


def take_in_import(*, job: ImportJob, campaign_slug: str) -> int:
    """Cut an import's conversations into samples of the campaign; return how many. Idempotent.

    Raises UnknownCampaignError, and MixedSamplesError where the campaign has a selection.
    """
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).filter(slug=campaign_slug).first()
        if campaign is None:
            raise UnknownCampaignError(
                f"There is no campaign “{campaign_slug}”. Make it first, or import without naming one."
            )
        taken = SampleIntake.objects.filter(import_job=job).first()
        if taken is not None:
            return taken.sample_count
        refuse_import(campaign)
        count = _add_samples(campaign, job)
        SampleIntake.objects.create(import_job=job, campaign=campaign, sample_count=count)
        if campaign.state == CampaignState.OPEN:
            revise_plan(campaign=campaign, because="samples arrived")
        return count


def refuse_import(campaign: Campaign) -> None:
    """Raise MixedSamplesError where no import can be taken in."""
    if SampleSelection.objects.filter(campaign=campaign).exists():
        raise MixedSamplesError(
            f"The campaign “{campaign.slug}” has a selection, whose samples carry weights: import into "
            "another campaign."
        )


def refuse_selection(campaign_slug: str) -> None:
    """Raise UnknownCampaignError, AlreadySelectedError or MixedSamplesError where none can be taken in."""
    campaign = Campaign.objects.filter(slug=campaign_slug).first()
    if campaign is None:
        raise UnknownCampaignError(f"There is no campaign “{campaign_slug}”. Make it first.")
    if SampleSelection.objects.filter(campaign=campaign).exists():
        raise AlreadySelectedError(
            f"The campaign “{campaign_slug}” has its selection already: make another campaign."
        )
    if campaign.samples.exists():
        raise MixedSamplesError(
            f"The campaign “{campaign_slug}” has samples of an import, which no draw gave a weight: make "
            "another campaign for the selection."
        )


def take_in_waiting_imports() -> int:
    """Take in every finished import that names a campaign and was not taken in yet; return how many.

    One that cannot be taken in is logged and does not stop the next. One that names a campaign with a
    selection waits, and the page of the selection says so.
    """
    open_to_imports = Campaign.objects.filter(selection__isnull=True)
    known = waiting_imports().filter(campaign_slug__in=open_to_imports.values("slug"))
    return sum(_is_taken_in(job) for job in known.order_by("finished_at"))


def waiting_imports() -> QuerySet[ImportJob]:
    """Return the finished imports that name a campaign and are no samples of it so far."""
    waiting = ImportJob.objects.filter(
        state=ImportState.DONE, intake__isnull=True, source__withdrawn_at__isnull=True
    )
    return waiting.exclude(campaign_slug="")


def _is_taken_in(job: ImportJob) -> bool:
    try:
        take_in_import(job=job, campaign_slug=job.campaign_slug)
    except (MixedSamplesError, TextErasedError, TextDamagedError):
        logger.warning("an import cannot become samples", exc_info=True, extra={"import_job": str(job.pk)})
        return False
    return True


def _add_samples(campaign: Campaign, job: ImportJob) -> int:
    number = campaign.samples.aggregate(top=Max("number"))["top"] or 0
    first_number = number
    batch: list[Sample] = []
    conversations = job.conversations.select_related("text__data_key").order_by("row", "id")
    for conversation in conversations.iterator(chunk_size=BATCH_SIZE):
        for sample in _samples_of(conversation, campaign):
            number += 1
            sample.number = number
            batch.append(sample)
        if len(batch) >= BATCH_SIZE:
            Sample.objects.bulk_create(batch)
            batch = []
    Sample.objects.bulk_create(batch)
    return number - first_number


def _samples_of(conversation: Conversation, campaign: Campaign) -> list[Sample]:
    turns = read_turns(conversation)
    return [
        Sample(
            campaign=campaign,
            conversation=conversation,
            window_start=window.start,
            window_stop=window.stop,
            has_client_turn=any(turn.role == "user" for turn in turns[window.start : window.stop]),
            has_assistant_turn=any(turn.role == "assistant" for turn in turns[window.start : window.stop]),
        )
        for window in windows(turns)
    ]
