"""A guideline's Markdown as safe HTML."""

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TABLE_OPENS = '<div class="table-scroll" role="region" tabindex="0" aria-label="Table {}"><table>'
TABLE_CLOSES = "</table></div>"


def rendered(body: str) -> SafeString:
    """Return the HTML. Raw HTML in it is shown as text: a guideline is written by leads, not by us alone."""
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(body)
    return mark_safe(_with_framed_tables(html))  # noqa: S308  made by the renderer with raw HTML off


def _with_framed_tables(html: str) -> str:
    """Let each table scroll inside a frame of its own, by keyboard too, so that the page never does."""
    first, *others = html.replace("</table>", TABLE_CLOSES).split("<table>")
    return first + "".join(TABLE_OPENS.format(number) + other for number, other in enumerate(others, start=1))
