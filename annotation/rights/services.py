"""Take back the consent to labels, and let a person leave for good: labels stay, the person's data goes."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotation.assignment import queue, sittings
from annotation.assignment.planning import PEOPLE_CHANGED, revise_plan
from annotation.labelling.services import clinician_scope
from annotation.models import (
    Application,
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    CampaignState,
    CareLimits,
    CurriculumVitae,
    Draft,
    Label,
    LabelWithdrawal,
    TopicOptOut,
    WithdrawnLabel,
)
from annotation.recruitment.answers import address_digest
from prometheus_site.accounts.models import Invitation, User
from prometheus_site.accounts.services import revoke_role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core import sealing

BATCH_SIZE = 5000
LEFT_DOMAIN = "left.invalid"  # never deliverable (RFC 2606)


class NothingToWithdrawError(Exception):
    """The person has no label in use there."""


def withdraw_labels(
    *, clinician: User, campaign: Campaign, because: str, withdrawn_by: User | None = None
) -> LabelWithdrawal:
    """Leave every label of this person in the campaign out of figures, exports and the plan, for good.

    Nothing is deleted, and pay is not touched. The person takes no more part in the campaign, and others are
    given the samples. Raises NothingToWithdrawError.
    """
    with transaction.atomic():
        _take_out(clinician, campaign)
        # Whoever saves a label holds its slot: what is being saved just now is waited for and withdrawn too.
        slots = Assignment.objects.filter(campaign=campaign, annotator=clinician)
        locked = list(slots.order_by("pk").select_for_update().values_list("pk", flat=True))
        labels = list(
            Label.objects.in_use().filter(campaign=campaign, annotator=clinician).values_list("pk", flat=True)
        )
        if not labels:
            raise NothingToWithdrawError(f"{clinician.code} has no label in use in {campaign.name}.")
        withdrawal: LabelWithdrawal = LabelWithdrawal.objects.create(
            campaign=campaign, clinician=clinician, because=because, withdrawn_by=withdrawn_by
        )
        WithdrawnLabel.objects.bulk_create(
            [WithdrawnLabel(label_id=label, withdrawal=withdrawal) for label in labels],
            batch_size=BATCH_SIZE,
        )
        # No label stands for these slots any more: their samples are others' to label.
        Assignment.objects.filter(pk__in=locked, state=AssignmentState.LABELLED).update(
            state=AssignmentState.WITHDRAWN
        )
        _plan_anew(campaign)
        record_access(
            actor=withdrawn_by, action=Action.CHANGED, obj_type="label_withdrawal", obj_id=str(withdrawal.pk)
        )
        return withdrawal


def leave_for_good(*, person: User, because: str, done_by: User | None = None) -> None:
    """Let the person go: sessions end, samples go to others, and the person's data becomes unreadable.

    Labels, hours, statements, signatures and decisions stay under the code. Notes, reasons, drafts,
    check-ins, the licence number and the application are sealed under keys that are destroyed; name, address
    and what signs in are removed. Idempotent; cannot be undone. Raises LastLeadError for the only lead.
    """
    with transaction.atomic():
        for role in sorted(person.roles):
            revoke_role(user=person, role=role, revoked_by=done_by)
        for campaign in Campaign.objects.visible_to(person).order_by("pk"):
            _take_out(person, campaign)
            _plan_anew(campaign)
        Draft.objects.filter(assignment__annotator=person).delete()
        TopicOptOut.objects.filter(user=person).delete()
        CareLimits.objects.filter(user=person).delete()
        _erase_applications(person, because)
        sealing.destroy_key(clinician_scope(person), because)
        _close_account(person)
        record_access(actor=done_by, action=Action.CHANGED, obj_type="person_left", obj_id=str(person.pk))


def _take_out(person: User, campaign: Campaign) -> None:
    """End the person's part in the campaign; what was labelled locks as after every sitting."""
    sittings.end(campaign=campaign, annotator=person)
    queue.give_back(campaign=campaign, annotator=person)
    present = CampaignMember.objects.filter(campaign=campaign, user=person, left_at__isnull=True)
    for member in present:
        member.left_at = timezone.now()
        member.save(update_fields=["left_at"])


def _plan_anew(campaign: Campaign) -> None:
    if Campaign.objects.get(pk=campaign.pk).state == CampaignState.OPEN:
        revise_plan(campaign=campaign, because=PEOPLE_CHANGED)


def _erase_applications(person: User, because: str) -> None:
    """Erase every application of the person, whether an invitation came of it or not, and its CV.

    Call while the person still has the address: it finds those that no invitation came of.
    """
    address = address_digest(person.email, sealing.data_key_for(sealing.SITE_SCOPE))
    own = Q(invitation__accepted_by=person) | Q(email_digest=address)
    for application in Application.objects.select_for_update(of=("self",)).filter(own):
        CurriculumVitae.objects.filter(application=application).delete()
        application.links.all().delete()
        application.email_digest = b""
        application.save(update_fields=["email_digest"])
        sealing.destroy_key(application.key_scope, because)


def _close_account(person: User) -> None:
    for own in UserSession.objects.filter(user=person):
        own.end()
    Authenticator.objects.filter(user=person).delete()
    EmailAddress.objects.filter(user=person).delete()
    now = timezone.now()
    person.api_tokens.filter(revoked_at__isnull=True).update(revoked_at=now)
    nowhere = f"{person.code.lower()}@{LEFT_DOMAIN}"
    Invitation.objects.filter(accepted_by=person).update(email=nowhere)
    Invitation.objects.filter(email__iexact=person.email, accepted_at__isnull=True).update(
        email=nowhere, revoked_at=now
    )
    person.email, person.display_name, person.is_active = nowhere, "", False
    person.set_unusable_password()
    person.save(update_fields=["email", "display_name", "is_active", "password"])
