"""How far the campaigns a person may see have come, as the board and the progress page tell it."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.agreement.selectors import Agreement, agreement_of
from annotation.blindness import campaigns_blind_to
from annotation.dashboard.figures import Number, count_of, number
from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role


@dataclass(frozen=True)
class CampaignStanding:
    """One campaign in short: how much of it is labelled, and how well its people agree.

    A blind reader is shown no agreement: it would tell how others answered.
    """

    campaign: Campaign
    samples: Number
    finished: Number
    planned: Number
    labelled: Number
    agreements: Sequence[tuple[Agreement, Number]]  # with the overlap items it rests on
    is_blind: bool


def campaign_standings(user: User) -> list[CampaignStanding]:
    """Return the standing of each campaign this person leads, newest first."""
    if not user.has_role(Role.LEAD):
        return []
    campaigns = Campaign.objects.visible_to(user).select_related("guideline").order_by("-created_at", "slug")
    closed = {row["campaign"] for row in campaigns_blind_to(user)}
    return [_standing(campaign, is_blind=campaign.pk in closed) for campaign in campaigns]


def _standing(campaign: Campaign, *, is_blind: bool) -> CampaignStanding:
    def counted(key: str) -> Number:
        return number(key, campaign, count_of(key, campaign))

    def on_items(found: Agreement) -> tuple[Agreement, Number]:
        items = found.estimate.n_items_overlap
        return found, number("overlap-items", campaign, items, dimension=found.dimension.key)

    shown = [] if is_blind else agreement_of(campaign, scheme_of(campaign))
    return CampaignStanding(
        campaign=campaign,
        samples=counted("samples"),
        finished=counted("finished"),
        planned=counted("planned"),
        labelled=counted("labelled"),
        agreements=[on_items(found) for found in shown],
        is_blind=is_blind,
    )
