"""Keep the gate's rows in step with what stands about people, and close those whose licence ran out."""

import uuid
from collections.abc import Collection

from django.db.models import QuerySet
from django.utils import timezone

from annotation.assignment.planning import revise_plan
from annotation.models import Admission, Campaign, CampaignState, QualificationDecision
from annotation.qualification.facts import facts_of
from annotation.qualification.gate import Admitted, admission_of
from prometheus_site.accounts.models import User


def lock_person(person: User) -> None:
    """Let nobody else change what gates decide on for this person before this transaction ends.

    A campaign cannot stand for that: the first decision on somebody is one that a signature cannot know of.
    """
    # NO KEY: labels and records refer to the person and must not wait.
    User.objects.select_for_update(no_key=True).only("pk").get(pk=person.pk)


def locked_campaigns_of(person: User | None = None) -> list[Campaign]:
    """Lock and return the campaigns whose gate knows this person, or all. Call inside a transaction.

    Whoever changes what a gate decides on locks them first, the person before them, so that no two look at
    each other's past.
    """
    gated = Campaign.objects.filter(requires_qualification=True)
    if person is not None:
        lock_person(person)
        decided = QualificationDecision.objects.filter(clinician=person)
        gated = gated.filter(pk__in=decided.values("campaign"))
    # NO KEY: saves of labels refer to the campaign and must not wait.
    return list(gated.order_by("pk").select_for_update(no_key=True))


def refresh(
    campaign: Campaign, people: Collection[uuid.UUID], *, because: str, made_by: User | None = None
) -> None:
    """Work out again what these people may be given; the plan follows. Call with the campaign locked."""
    rows = campaign.admissions.filter(clinician__in=people)
    standing = {
        row.clinician_id: Admitted(row.covers_all, row.is_held, row.reading, row.valid_until) for row in rows
    }
    has_moved = False
    for person, facts in facts_of(campaign, people).items():
        before, admitted = standing.get(person), admission_of(facts)
        if admitted != before:
            has_moved |= _plans_otherwise(before, admitted)
            _write(campaign, person, admitted)
    if has_moved and campaign.state == CampaignState.OPEN:
        revise_plan(campaign=campaign, because=because, made_by=made_by)


def refresh_everywhere(campaigns: Collection[Campaign], person: User | None = None, *, because: str) -> None:
    """Work out again what the person, or everybody, may be given in these locked campaigns."""
    for campaign in campaigns:
        known: QuerySet[QualificationDecision] = campaign.qualification_decisions.order_by()
        people = [person.pk] if person else known.values_list("clinician_id", flat=True).distinct()
        refresh(campaign, list(people), because=because)


def close_expired() -> int:
    """Take away what licences that ran out admitted to; return how many. The sweeper changes the plans.

    The gate has refused since that moment. The row goes so that a clock set back opens nothing again.
    """
    closed, _ = Admission.objects.filter(valid_until__lte=timezone.now()).delete()
    return closed


def _plans_otherwise(before: Admitted | None, after: Admitted | None) -> bool:
    """Say whether the plan has to follow: not for a signature that is missing or has come."""
    if before and before.valid_until and before.valid_until <= timezone.now():
        before = None  # it ran out; the sweeper was not there yet
    return (before and (before.covers_all, before.reading)) != (after and (after.covers_all, after.reading))


def _write(campaign: Campaign, person: uuid.UUID, admitted: Admitted | None) -> None:
    if admitted is None:
        campaign.admissions.filter(clinician=person).delete()
        return
    campaign.admissions.update_or_create(clinician_id=person, defaults=vars(admitted))
