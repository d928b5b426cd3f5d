"""Templates keep to the content security policy and name icons that exist; error pages need no context."""

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
INLINE = re.compile(
    r"""<style|\sstyle=|\son[a-z]+=|\shx-on|javascript:|<script(?![^>]*\ssrc=)(?![^>]*type="application/json")"""
)
ELSEWHERE = re.compile(r"""<(?:link|script|img|iframe)[^>]*(?:src|href)=["'](?:https?:)?//""")
ICON = re.compile(r"""{% icon ["']([^"']+)["'] %}""")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_template_keeps_to_the_content_security_policy(template: Path) -> None:
    text = template.read_text()
    assert INLINE.findall(text) == []
    assert ELSEWHERE.findall(text) == []


@pytest.mark.parametrize(
    "broken",
    [
        '<p style="color: red">',
        "<style>p {}</style>",
        '<a onclick="go()">',
        "<script>go()</script>",
        '<a href="javascript:go()">',
    ],
)
def test_inline_code_would_be_found(broken: str) -> None:
    assert INLINE.search(broken)


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_icons_of_template_are_vendored(template: Path) -> None:
    names = set(ICON.findall(template.read_text()))
    assert {name for name in names if not (ROOT / f"static/vendor/lucide/{name}.svg").exists()} == set()


@pytest.mark.parametrize("sheet", sorted((ROOT / "static/css").glob("*.css")), ids=name_of)
def test_style_sheet_loads_nothing(sheet: Path) -> None:
    assert re.findall(r"url\(|@import", sheet.read_text()) == []


@pytest.mark.parametrize("page", ["400", "403", "403_csrf", "404", "500"])
def test_error_page_renders_without_context(page: str) -> None:
    html = render_to_string(f"{page}.html")
    assert "<h1>" in html
    assert "If you ask for help" not in html


def test_error_page_shows_the_request_id_when_there_is_one() -> None:
    assert "<code>7f3a</code>" in render_to_string("500.html", {"request_id": "7f3a"})
