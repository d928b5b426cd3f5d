"""Read campaigns, who could take part in them, and what they could ask."""

from django.db.models import QuerySet

from annotation.models import Campaign, SchemeVersion
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

CAMPAIGN_ROLES = (Role.ANNOTATOR, Role.ADJUDICATOR, Role.LEAD)


def campaigns_of(user: User) -> QuerySet[Campaign]:
    """Return the person's campaigns, newest first."""
    return Campaign.objects.visible_to(user).select_related("scheme", "guideline").order_by("-created_at")


def possible_members() -> QuerySet[User]:
    """Return everybody who holds a role that works in campaigns."""
    grants = {"role_grants__role__in": CAMPAIGN_ROLES, "role_grants__revoked_at__isnull": True}
    return User.objects.filter(is_active=True, **grants).distinct().order_by("display_name", "code")


def stored_schemes() -> QuerySet[SchemeVersion]:
    """Return every scheme version that a campaign was made with, by title, newest first."""
    return SchemeVersion.objects.order_by("title", "-created_at")
