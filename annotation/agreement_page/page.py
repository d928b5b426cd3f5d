"""What the page holds: the view shows the whole of it, the stream sends the parts that changed."""

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string

from annotation.agreement.reading import left_out_of, read_campaign
from annotation.agreement_page.current import Figures, Read, figures_of
from annotation.agreement_page.names import names_in
from annotation.agreement_page.presenter import Presenter
from annotation.labelling.selectors import scheme_of
from annotation.models import Campaign
from annotation.schemes.definition import Dimension

PARTS = (
    "as-of",
    "cards",
    "left-out",
    "readings",
    "course",
    "classes",
    "confusion",
    "pairs",
    "people",
    "answers",
)


def dimension_named(campaign: Campaign, key: str) -> Dimension:
    """Return the headline dimension of that key, or the first for an empty key. Raises KeyError."""
    headlines = [dimension for dimension in scheme_of(campaign).dimensions if dimension.is_headline]
    found = {dimension.key: dimension for dimension in headlines}
    return found[key] if key else headlines[0]


def context_of(
    campaign: Campaign, dimension: Dimension, *, has_names: bool, read: Read = read_campaign
) -> dict[str, Any]:
    """Return what the templates of the page show; computes the figures if nobody has."""
    figures = figures_of(campaign, dimension, read)
    return {
        "campaign": campaign,
        "is_simulated": campaign.is_simulated,
        "dimension": dimension,
        "version": figures.version,
        "computed_at": figures.computed_at,
        "has_names": has_names,
        **_shown(campaign, dimension, figures, names_in(campaign) if has_names else {}),
    }


def _shown(
    campaign: Campaign, dimension: Dimension, figures: Figures, names: Mapping[str, str]
) -> dict[str, Any]:
    presenter = Presenter(campaign, scheme_of(campaign), names)
    headline, detail = figures.headlines[dimension.key], figures.detail
    return {
        "left_out": presenter.left_out(left_out_of(campaign)),
        "cards": presenter.cards(figures, dimension),
        "detail": detail and presenter.detail(dimension, headline, detail),
    }


def rendered_parts(context: Mapping[str, Any]) -> dict[str, str]:
    """Return the HTML of every part by the id of the element that it is."""
    return {
        f"agreement-{name}": render_to_string(
            f"annotation/agreement_page/parts/{name}.html", dict(context)
        ).strip()
        for name in PARTS
    }
