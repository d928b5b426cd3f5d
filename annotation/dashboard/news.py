"""What is new in a campaign's pulse since it was asked before: the source of the dashboard's stream."""

import time
from collections.abc import Mapping
from uuid import UUID

from django.template.loader import render_to_string

from annotation.dashboard.pulse import plan_of, working_now
from annotation.dashboard.signs import Signs, signs_of
from annotation.models import Campaign

REST_FACTOR = 10  # reading the plan takes a tenth of the time at most, however large the campaign is
PLAN_OLD_AFTER_SECONDS = 60  # what gives no sign, such as a silent repeat that has become due


class PulseNews:
    """Looks for signs that something happened, and only then reads and renders; for one thread alone.

    Who works is read anew at every sign, the plan when it has rested: within a second at thousands of
    samples, within minutes at a million.
    """

    def __init__(self, campaign_id: UUID) -> None:
        self._campaign_id = campaign_id
        self._signs: Signs | None = None
        self._parts: dict[str, str] = {}
        self._is_plan_stale = False
        self._plan_rests_until = self._plan_old_from = 0.0  # by the monotonic clock

    def changed_parts(self) -> Mapping[str, str]:
        """Return the HTML that differs from what was returned before, by the id of what it replaces."""
        signs = signs_of(self._campaign_id)
        has_changed = signs != self._signs
        now = time.monotonic()
        self._is_plan_stale = self._is_plan_stale or has_changed or now >= self._plan_old_from
        is_plan_due = self._is_plan_stale and now >= self._plan_rests_until
        if not (has_changed or is_plan_due):
            return {}
        campaign = Campaign.objects.get(pk=self._campaign_id)
        parts = working_part(campaign) if has_changed else {}
        if is_plan_due:
            parts |= self._read_plan(campaign)
        self._signs = signs
        changed = {name: html for name, html in parts.items() if self._parts.get(name) != html}
        self._parts |= changed
        return changed

    def _read_plan(self, campaign: Campaign) -> dict[str, str]:
        started = time.monotonic()
        parts = plan_parts(campaign)
        ended = time.monotonic()
        self._is_plan_stale = False
        self._plan_rests_until = ended + REST_FACTOR * (ended - started)
        self._plan_old_from = ended + PLAN_OLD_AFTER_SECONDS
        return parts


def working_part(campaign: Campaign) -> dict[str, str]:
    """Return the part of the page that says who works now."""
    return _rendered(campaign, ["working"], {"working": working_now(campaign)})


def plan_parts(campaign: Campaign) -> dict[str, str]:
    """Return the parts of the page about the plan."""
    return _rendered(campaign, ["queue", "schedule", "pairs"], {"plan": plan_of(campaign)})


def _rendered(campaign: Campaign, names: list[str], context: dict[str, object]) -> dict[str, str]:
    return {
        f"pulse-{name}": render_to_string(
            f"annotation/dashboard/pulse/{name}.html", {"campaign": campaign, **context}
        ).strip()
        for name in names
    }
