"""The forecast page: a day and a cost with their intervals, scenarios, and the plan's promise."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation import permissions
from annotation.forecast import selectors
from annotation.forecast.model import Forecast, Scenario, State, forecast, scenarios
from annotation.forecast.picture import Bar, bar_of, days_shown, fan_of
from annotation.models import Campaign
from annotation.pay.selectors import terms_of
from prometheus_site.accounts.roles import Role


@dataclass(frozen=True)
class ScenarioRow:
    """A scenario with the bar of its days; no bar where there is no forecast of it."""

    scenario: Scenario
    bar: Bar | None


@require_safe
def show_forecast(request: HttpRequest, slug: str) -> HttpResponse:
    """Show when the campaign will be done and what it will have cost."""
    lead = permissions.person(request, Role.LEAD)
    campaign = permissions.campaign_for(lead, slug)
    state = selectors.state_of(campaign)
    found = forecast(state)
    context = {
        "campaign": campaign,
        "state": state,
        "found": found,
        "fan": fan_of(found, campaign.due_on) if found.days else None,
        "rows": _rows(campaign, state, found) if found.days else [],
        "promise": selectors.promise_of(campaign),
        "terms": terms_of(campaign),
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/forecast/forecast.html", context)


def _rows(campaign: Campaign, state: State, found: Forecast) -> Sequence[ScenarioRow]:
    changed = scenarios(
        state,
        labels_per_sample=campaign.labels_per_sample,
        spared=selectors.spared_by_one_less(campaign),
    )
    everything = [Scenario("As it is", found), *changed]
    of_days = days_shown([one.forecast for one in everything if one.forecast])
    return [
        ScenarioRow(one, bar_of(one.forecast.days, of_days) if one.forecast and one.forecast.days else None)
        for one in everything
    ]
