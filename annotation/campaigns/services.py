"""Create campaigns, open and close them, and change who takes part."""

import hashlib
import uuid
from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from annotation.assignment.services import extend_plan
from annotation.models import Campaign, CampaignMember, CampaignState, GuidelineVersion, SchemeVersion
from annotation.schemes.definition import parse_scheme
from annotation.schemes.shipped import clauses, default_guideline, default_scheme
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

DEFAULT_GUIDELINE_VERSION = "1.0"


class CampaignRefusedError(Exception):
    """The campaign cannot be made or changed so; the text says why and what to do."""


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


def store_guideline(*, scheme_key: str, version: str, body: str, created_by: User | None) -> GuidelineVersion:
    """Store a guideline version, or return the stored one when it is the same."""
    clauses(body)  # a clause code used twice could not be cited
    digest = hashlib.sha256(body.encode()).hexdigest()
    stored, _ = GuidelineVersion.objects.get_or_create(
        scheme_key=scheme_key,
        version=version,
        defaults={"body": body, "digest": digest, "created_by": created_by},
    )
    if stored.digest != digest:
        raise CampaignRefusedError(
            f"Version {version} of this guideline exists with other text. Versions never change: give this "
            "one a new version number."
        )
    found: GuidelineVersion = stored
    return found


def create_campaign(
    *,
    name: str,
    slug: str,
    created_by: User,
    labels_per_sample: int = 2,
    is_simulated: bool = False,
    seed: int = 1,
) -> Campaign:
    """Create a campaign on the shipped scheme and guideline; its creator takes part as lead."""
    with transaction.atomic():
        scheme = store_scheme(definition=default_scheme(), created_by=created_by)
        guideline = store_guideline(
            scheme_key=scheme.key,
            version=DEFAULT_GUIDELINE_VERSION,
            body=default_guideline(),
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
                    seed=seed,
                    created_by=created_by,
                )
        except IntegrityError as taken:
            raise CampaignRefusedError(
                f"The address name “{slug}” is taken by another campaign: choose another."
            ) from taken
        CampaignMember.objects.create(campaign=campaign, user=created_by)
        record_access(actor=created_by, action=Action.CREATED, obj_type="campaign", obj_id=str(campaign.pk))
        return campaign


def change_state(*, campaign: Campaign, state: CampaignState, changed_by: User) -> None:
    """Open or close the campaign. Opening extends the plan; closing leaves every label where it is."""
    with transaction.atomic():
        locked = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        if state == CampaignState.OPEN and not locked.samples.exists():
            raise CampaignRefusedError(
                "There is nothing to label yet: import conversations into this campaign, then open it."
            )
        locked.state = state
        locked.save(update_fields=["state"])
        if state == CampaignState.OPEN:
            extend_plan(campaign=locked)
        record_access(actor=changed_by, action=Action.CHANGED, obj_type="campaign", obj_id=str(campaign.pk))


def set_members(*, campaign: Campaign, user_ids: Collection[uuid.UUID], changed_by: User) -> None:
    """Make these people the campaign's members. Who leaves keeps the labels given and loses what waits.

    The lead who acts always stays: a campaign without its lead could not be reached by anybody.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
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
        if locked.state == CampaignState.OPEN:
            extend_plan(campaign=locked)
        record_access(actor=changed_by, action=Action.CHANGED, obj_type="campaign", obj_id=str(campaign.pk))
