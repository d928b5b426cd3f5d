"""Create campaigns, open and close them, and change who takes part."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from annotation.agreements.services import publish_shipped_documents
from annotation.campaigns.asking import Asked, shipped
from annotation.campaigns.design import DECLARED_FIELDS, Declared
from annotation.campaigns.members import locked_campaign, record_change, replan, set_pause
from annotation.campaigns.plan_selectors import verdict_of
from annotation.checkpoints.services import declare_first_looks
from annotation.guidelines.services import store_guideline
from annotation.models import Campaign, CampaignMember, CampaignState, SchemeVersion
from annotation.recruitment.advance import follow_membership
from annotation.schemes.definition import parse_scheme
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access


class CampaignRefusedError(Exception):
    """The campaign cannot be made or changed so; the text says why and what to do."""


class PlanDoesNotFitError(CampaignRefusedError):
    """The plan asks more than there is time or people for, and nobody accepted that."""


def store_scheme(*, definition: dict[str, object], created_by: User | None) -> SchemeVersion:
    """Store a scheme version, or return the stored one when it is the same.

    Raises SchemeError when the definition has faults, CampaignRefusedError when that version is taken by
    another definition.
    """
    scheme = parse_scheme(definition)
    stored, _ = SchemeVersion.objects.get_or_create(
        key=scheme.key,
        version=scheme.version,
        defaults={
            "title": scheme.title,
            "definition": definition,
            "digest": scheme.digest(),
            "created_by": created_by,
        },
    )
    if stored.digest != scheme.digest():
        raise CampaignRefusedError(
            f"Version {scheme.version} of the scheme “{scheme.key}” exists with other content. Versions "
            "never change: give this one a new version number."
        )
    found: SchemeVersion = stored
    return found


def create_campaign(
    *,
    name: str,
    slug: str,
    created_by: User,
    labels_per_sample: int = 2,
    is_simulated: bool = False,
    requires_qualification: bool = True,
    seed: int = 1,
    asked: Asked | None = None,
) -> Campaign:
    """Create a campaign that asks this (the shipped scheme and guideline when nothing is given).

    Its creator takes part as lead. A program is never asked for a qualification. Nothing is stored when it
    raises: SchemeError, GuidelineRefusedError or CampaignRefusedError.
    """
    chosen = asked or shipped()
    with transaction.atomic():
        scheme = store_scheme(definition=chosen.definition, created_by=created_by)
        guideline = store_guideline(
            scheme_key=scheme.key,
            version=chosen.guideline_version,
            body=chosen.guideline,
            created_by=created_by,
        )
        try:
            with transaction.atomic():
                campaign = Campaign.objects.create(
                    name=name,
                    slug=slug,
                    scheme=scheme,
                    guideline=guideline,
                    labels_per_sample=labels_per_sample,
                    is_simulated=is_simulated,
                    requires_qualification=requires_qualification and not is_simulated,
                    seed=seed,
                    created_by=created_by,
                )
        except IntegrityError as taken:
            raise CampaignRefusedError(
                f"The address name “{slug}” is taken by another campaign: choose another."
            ) from taken
        CampaignMember.objects.create(campaign=campaign, user=created_by)
        if campaign.requires_qualification:
            publish_shipped_documents()
        record_access(actor=created_by, action=Action.CREATED, obj_type="campaign", obj_id=str(campaign.pk))
        return campaign


def try_campaign(*, created_by: User, **wanted: Any) -> None:
    """Raise what create_campaign would raise, and store nothing: for a preview."""
    with transaction.atomic():
        create_campaign(created_by=created_by, **wanted)
        transaction.set_rollback(True)


def change_state(
    *, campaign: Campaign, state: CampaignState, changed_by: User, accepts_misfit: bool = False
) -> None:
    """Open or close the campaign. Closing leaves every label where it is.

    Opening makes the plan and, the first time, declares the looks at the target.

    Raises CampaignRefusedError, and PlanDoesNotFitError when it is opened for the first time with a plan that
    does not fit and nobody accepts that.
    """
    with transaction.atomic():
        locked = locked_campaign(campaign)
        if state == CampaignState.OPEN and not locked.samples.exists():
            raise CampaignRefusedError(
                "There is nothing to label yet: import conversations into this campaign, then open it."
            )
        if state == CampaignState.OPEN and locked.state == CampaignState.DRAFT and not accepts_misfit:
            _refuse_misfit(locked)
        locked.state = state
        locked.save(update_fields=["state"])
        replan(locked, "campaign opened", changed_by)
        if state == CampaignState.OPEN:
            declare_first_looks(campaign=locked, declared_by=changed_by)
        record_change(locked, changed_by)


def set_members(*, campaign: Campaign, user_ids: Collection[uuid.UUID], changed_by: User) -> None:
    """Make these people the campaign's members. Who leaves keeps the labels given and loses what waits.

    The lead who acts always stays: a campaign without its lead could not be reached by anybody.
    """
    with transaction.atomic():
        locked = locked_campaign(campaign)
        wanted = set(user_ids) | {changed_by.pk}
        standing = {member.user_id: member for member in locked.members.filter(left_at__isnull=True)}
        for user_id in sorted(standing.keys() - wanted):
            member = standing[user_id]
            member.left_at = timezone.now()
            member.save(update_fields=["left_at"])
        same_kind = Q(is_simulated=locked.is_simulated) | Q(
            role_grants__role=Role.LEAD, role_grants__revoked_at__isnull=True
        )
        joining = User.objects.filter(same_kind, pk__in=wanted - standing.keys(), is_active=True)
        for user in joining.distinct():
            CampaignMember.objects.get_or_create(campaign=locked, user=user, left_at=None)
        replan(locked, "people changed", changed_by)
        for person in User.objects.filter(pk__in=standing.keys() ^ wanted).order_by("pk"):
            follow_membership(campaign=locked, person=person, by=changed_by)
        record_change(locked, changed_by)


def declare_design(
    *, campaign: Campaign, design: Declared, declared_by: User, accepts_misfit: bool = False
) -> None:
    """Declare the design and, in an open campaign, bring the plan up to it.

    Raises PlanDoesNotFitError when the campaign is open, the design does not fit and nobody accepts that.
    """
    with transaction.atomic():
        locked = locked_campaign(campaign)
        design.put_into(locked)
        if locked.state == CampaignState.OPEN and not accepts_misfit:
            _refuse_misfit(locked)
        locked.save(update_fields=DECLARED_FIELDS)
        replan(locked, "design declared", declared_by)
        record_change(locked, declared_by)


def accept_plan(*, campaign: Campaign, design: Declared, accepted_by: User, accepts_misfit: bool) -> None:
    """Declare the design and open a campaign that is a draft. Raises as the two services do."""
    with transaction.atomic():
        declare_design(
            campaign=campaign, design=design, declared_by=accepted_by, accepts_misfit=accepts_misfit
        )
        if campaign.state == CampaignState.DRAFT:
            change_state(
                campaign=campaign,
                state=CampaignState.OPEN,
                changed_by=accepted_by,
                accepts_misfit=accepts_misfit,
            )


def set_hours(*, campaign: Campaign, hours: Mapping[int, float], changed_by: User) -> None:
    """Declare the hours a week of members, by the member's id; those of nobody else change."""
    with transaction.atomic():
        locked = locked_campaign(campaign)
        for member in locked.members.filter(left_at__isnull=True, pk__in=hours.keys()):
            if member.hours_per_week != hours[member.pk]:
                member.hours_per_week = hours[member.pk]
                member.save(update_fields=["hours_per_week"])
        replan(locked, "hours declared", changed_by)
        record_change(locked, changed_by)


def pause_member(*, campaign: Campaign, member: CampaignMember, changed_by: User) -> None:
    """Let a person rest: what waits for them goes to the others, and the labels given stay."""
    with transaction.atomic():
        set_pause(campaign=campaign, member=member, since=timezone.now(), by=changed_by)
        follow_membership(campaign=campaign, person=member.user, by=changed_by)


def resume_member(*, campaign: Campaign, member: CampaignMember, changed_by: User) -> None:
    """Let a person who rested take part again."""
    with transaction.atomic():
        set_pause(campaign=campaign, member=member, since=None, by=changed_by)
        follow_membership(campaign=campaign, person=member.user, by=changed_by)


def _refuse_misfit(campaign: Campaign) -> None:
    if not verdict_of(campaign).found.is_feasible:
        raise PlanDoesNotFitError(
            "The plan does not fit the people, their hours or the date. Change it on the plan page, or "
            "accept there that it does not fit."
        )
