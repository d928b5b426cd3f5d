"""Who is behind a code: shown to a lead who asks, for as long as the session lasts, and written down."""

from collections.abc import Mapping

from django.contrib.sessions.backends.base import SessionBase

from annotation.models import Assignment, Campaign
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access

REVEALED_IN = "names_revealed_in"  # the ids of campaigns, in the session


def are_revealed(session: SessionBase, campaign: Campaign) -> bool:
    """Whether this session shows the names of the campaign's clinicians beside their codes."""
    return str(campaign.pk) in session.get(REVEALED_IN, [])


def reveal(session: SessionBase, *, campaign: Campaign, reader: User) -> None:
    """Show names from now on, and write down that this person asked for them."""
    record_access(actor=reader, action=Action.REVEALED, obj_type="campaign_names", obj_id=str(campaign.pk))
    session[REVEALED_IN] = [*session.get(REVEALED_IN, []), str(campaign.pk)]


def hide(session: SessionBase, *, campaign: Campaign) -> None:
    """Show codes alone again."""
    session[REVEALED_IN] = [pk for pk in session.get(REVEALED_IN, []) if pk != str(campaign.pk)]


def names_in(campaign: Campaign) -> Mapping[str, str]:
    """Return the name of everybody who has slots in the campaign, by code."""
    planned = Assignment.objects.filter(campaign=campaign).values("annotator")
    return dict(User.objects.filter(pk__in=planned).values_list("code", "display_name"))
