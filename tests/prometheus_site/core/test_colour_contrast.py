"""Every pair of colours that carries text or a control keeps WCAG 2.2 AA in both themes."""

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[3] / "static/css/tokens.css").read_text()
TEXT, CONTROL = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
PAPERS = ["paper", "surface", "sunk"]
PAIRS = [
    *[(ink, paper, TEXT) for ink in ["ink", "ink-soft", "accent", "accent-hover", "bad"] for paper in PAPERS],
    *[(ink, soft, TEXT) for ink in ["ink", "ink-soft"] for soft in ["client", "assistant", "accent-soft"]],
    *[(tone, f"{tone}-soft", TEXT) for tone in ["good", "bad", "warn", "busy", "accent"]],
    *[("ink", f"{tone}-soft", TEXT) for tone in ["good", "bad", "warn", "busy"]],
    *[(tone, "surface", TEXT) for tone in ["good", "warn", "busy"]],
    *[("on-accent", fill, TEXT) for fill in ["accent-fill", "accent-fill-hover", "bad-fill"]],
    *[("control", paper, CONTROL) for paper in PAPERS],
    *[("accent-fill", paper, CONTROL) for paper in PAPERS],
    *[("accent", soft, CONTROL) for soft in ["client", "assistant", "good-soft", "bad-soft", "warn-soft"]],
    ("client-edge", "client", CONTROL),
    ("assistant-edge", "assistant", CONTROL),
]


def colour(token: str, theme: int) -> str:
    found = re.search(rf"--{token}: light-dark\((#[0-9a-f]{{6}}), (#[0-9a-f]{{6}})\);", TOKENS)
    assert found, f"tokens.css has no pair of colours named --{token}"
    return found[theme + 1]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper", "least"), PAIRS)
def test_pair_is_readable(ink: str, paper: str, least: float, theme: int) -> None:
    assert contrast(colour(ink, theme), colour(paper, theme)) >= least
