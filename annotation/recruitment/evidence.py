"""Read what has been done for applications, from the rows of every stage; for many by as many questions."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils import timezone

from annotation.learning.content import modules
from annotation.learning.selectors import completed_by
from annotation.models import (
    DONE_STATES,
    OPEN_STATES,
    Application,
    Campaign,
    CampaignMember,
    CampaignState,
    DocumentKind,
    Licence,
    Outcome,
    Purpose,
    QuizAttempt,
)
from annotation.qualification.facts import checked_licences, latest_decisions, unsigned_by
from annotation.qualification.gate import ADMITTED, BEFORE_ANY_TEXT
from annotation.recruitment import answers
from annotation.recruitment.progress import Done
from prometheus_site.accounts.models import User


def people_of(applications: Sequence[Application]) -> dict[uuid.UUID, User]:
    """Return whoever signs in for each application: who accepted its invitation, else who has its address."""
    found = {
        one.pk: one.invitation.accepted_by
        for one in applications
        if one.invitation is not None and one.invitation.accepted_by is not None
    }
    others = [one for one in applications if one.pk not in found]
    addresses = {one.pk: answers.read_unless_erased(one).get("email", "") for one in others}
    owners = {user.email.lower(): user for user in User.objects.filter(email__in=set(addresses.values()))}
    return found | {pk: owners[address] for pk, address in addresses.items() if address in owners}


def done_for(campaign: Campaign, applications: Sequence[Application]) -> dict[uuid.UUID, Done]:
    """Return what has been done for each of these applications of the campaign."""
    people = people_of(applications)
    found = _Rows.of(campaign, {user.pk for user in people.values()})
    passed = set(
        QuizAttempt.objects.filter(application__in=applications, has_passed=True).values_list(
            "application", flat=True
        )
    )
    return {
        one.pk: found.done_by(people.get(one.pk), has_passed_quiz=one.pk in passed) for one in applications
    }


@dataclass(frozen=True)
class _Rows:
    """What stands about these people in one campaign, by person."""

    campaign: Campaign
    members: Mapping[uuid.UUID, CampaignMember]
    outcomes: Mapping[uuid.UUID, str]
    unsigned: Mapping[uuid.UUID, AbstractSet[str]]
    licences: Mapping[uuid.UUID, Licence]
    completed: Mapping[uuid.UUID, AbstractSet[str]]
    calibrated: AbstractSet[uuid.UUID]
    let_through: AbstractSet[uuid.UUID]

    @classmethod
    def of(cls, campaign: Campaign, people: Collection[uuid.UUID]) -> "_Rows":
        members = campaign.members.filter(user__in=people, left_at__isnull=True)
        admitted = campaign.admissions.in_force().filter(clinician__in=people, covers_all=True)
        return cls(
            campaign=campaign,
            members={one.user_id: one for one in members},
            outcomes={pk: one.outcome for pk, one in latest_decisions(campaign, people).items()},
            unsigned=unsigned_by(people),
            licences=checked_licences(people),
            completed=completed_by(people),
            calibrated=_calibrated(campaign, people),
            let_through=set(admitted.values_list("clinician_id", flat=True)),
        )

    def done_by(self, person: User | None, *, has_passed_quiz: bool) -> Done:
        """Return what this person has done; decisions count for who takes part now."""
        if person is None:
            return Done(has_passed_quiz=has_passed_quiz)
        member, unsigned = self.members.get(person.pk), self.unsigned[person.pk]
        outcome = self.outcomes.get(person.pk) if member else None
        licence = self.licences.get(person.pk)
        return Done(
            has_passed_quiz=has_passed_quiz,
            has_account=True,
            is_invited=outcome == Outcome.CALIBRATE or outcome in ADMITTED or self._is_ungated(member),
            has_agreed_to_read=not unsigned & BEFORE_ANY_TEXT,
            has_calibrated=person.pk in self.calibrated,
            is_licence_checked=licence is not None and licence.ends_at > timezone.now(),
            has_accepted=DocumentKind.CONTRACTOR_TERMS not in unsigned,
            has_signed_all=not unsigned,
            modules_left=sum(one.key not in self.completed.get(person.pk, ()) for one in modules()),
            qualified_as=Outcome(outcome).label.lower() if outcome in ADMITTED else "",
            may_label=(
                self.campaign.state == CampaignState.OPEN
                and person.pk in self.let_through
                and member is not None
                and member.paused_at is None
            ),
        )

    def _is_ungated(self, member: CampaignMember | None) -> bool:
        """Say whether taking part is enough, as no qualification is required."""
        return member is not None and not self.campaign.requires_qualification


def _calibrated(campaign: Campaign, people: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return who has labelled or passed every calibration sample asked of them; all where none is asked."""
    slots = campaign.assignments.filter(annotator__in=people, purpose=Purpose.CALIBRATION)
    counted = slots.values("annotator").annotate(
        done=Count("pk", filter=Q(state__in=DONE_STATES)),
        waiting=Count("pk", filter=Q(state__in=OPEN_STATES)),
    )
    found = {one["annotator"]: bool(one["done"]) and not one["waiting"] for one in counted}
    is_asked = campaign.calibration_samples > 0
    return {person for person in people if found.get(person, not is_asked)}
