"""Show the guideline of a campaign."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from annotation import permissions
from annotation.campaigns.selectors import CAMPAIGN_ROLES
from annotation.schemes.shipped import clauses

TABLE_OPENS = '<div class="table-scroll" role="region" tabindex="0" aria-label="Table {}"><table>'
TABLE_CLOSES = "</table></div>"


def framed_tables(body: str) -> str:
    """Let each table scroll inside a frame of its own, by keyboard too, so that the page never does."""
    first, *others = body.replace("</table>", TABLE_CLOSES).split("<table>")
    return first + "".join(TABLE_OPENS.format(number) + other for number, other in enumerate(others, start=1))


@require_safe
def current(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the current guideline version with its clauses."""
    user = permissions.person(request, *CAMPAIGN_ROLES)
    campaign = permissions.campaign_for(user, slug)
    # Raw HTML in the Markdown is shown as text: a guideline is written by leads, not by us alone.
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(campaign.guideline.body)
    body = framed_tables(body)
    context = {
        "campaign": campaign,
        "guideline": campaign.guideline,
        "body": mark_safe(body),  # noqa: S308  made by the renderer with raw HTML off
        "clauses": clauses(campaign.guideline.body),
        "is_simulated": campaign.is_simulated,
    }
    return render(request, "annotation/guidelines/current.html", context)
