"""Settle the answers to a calibration sample, by seniors who labelled it blind before."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max

from annotation.models import CalibrationGold, Campaign, Sample
from annotation.qualification.calibration import (
    SENIORS_NEEDED,
    headlines_of,
    senior_labels,
    still_calibrates,
)
from annotation.qualification.services import QualificationError
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core import sealing


class SettlingRefusedError(QualificationError):
    """The answers cannot be settled so."""


@dataclass(frozen=True)
class Settled:
    """The answer to one question, None where it cannot be answered for this text, and why."""

    answer: str | None
    because: str


def settle(*, sample: Sample, answers: Mapping[str, Settled], settled_by: User) -> list[CalibrationGold]:
    """Settle these questions about the sample, by dimension; what was settled before stays, superseded.

    Raises SettlingRefusedError before enough seniors have labelled it, for somebody who is not one of them,
    and for an answer off the scale or without a reason.
    """
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=sample.campaign_id)
        _refuse_unfit(campaign, sample, settled_by)
        asked = {one.key: one for one in headlines_of(campaign, sample)}
        for key, settled in answers.items():
            if key not in asked or settled.answer not in (None, *asked[key].codes):
                raise SettlingRefusedError("That is not one of the answers. Reload the page.")
            if not settled.because.strip():
                raise SettlingRefusedError(
                    f"{asked[key].title}: say why, in a sentence. Nothing was settled."
                )
        return [_store(sample, key, settled, settled_by) for key, settled in answers.items()]


def _refuse_unfit(campaign: Campaign, sample: Sample, settled_by: User) -> None:
    if not settled_by.has_role(Role.ADJUDICATOR) or still_calibrates(campaign, settled_by):
        raise SettlingRefusedError("Label your own calibration samples first. Then those of others open.")
    labelled = set(senior_labels(campaign).filter(sample=sample).values_list("annotator", flat=True))
    if len(labelled) < SENIORS_NEEDED:
        raise SettlingRefusedError(
            f"{SENIORS_NEEDED} seniors label a calibration sample blind before it is settled; "
            f"{len(labelled)} did so far."
        )
    if settled_by.pk not in labelled:
        raise SettlingRefusedError("Only a senior who labelled this sample blind settles it.")


def _store(sample: Sample, key: str, settled: Settled, settled_by: User) -> CalibrationGold:
    before = CalibrationGold.objects.filter(sample=sample, dimension=key).aggregate(top=Max("place"))["top"]
    made: CalibrationGold = CalibrationGold.objects.create(
        sample=sample,
        dimension=key,
        answer=settled.answer or "",
        because=sealing.seal(settled.because.strip(), sample.conversation.source.key_scope),
        settled_by=settled_by,
        place=(before or 0) + 1,
    )
    record_access(actor=settled_by, action=Action.CREATED, obj_type="calibration_gold", obj_id=str(made.pk))
    return made
