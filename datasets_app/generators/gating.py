"""What stands against a dialogue of an extreme scenario, whoever wrote it; what cannot be checked fails."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from datasets_app.synthesis.dialogue import Turn
from datasets_app.synthesis.safe_messaging import gate

FEWEST_TURNS, MOST_TURNS = 10, 40
LONGEST_TURN_CHARACTERS = 1500
EMERGENCY_NUMBERS = r"(?<!\d)(?:000|111|112|113|116|911|988|999)(?!\d)"
DASHES = re.compile(r"\s*[\u2010-\u2015\u2212-]\s*")
NUMBER_LIKE = re.compile(
    rf"(?<!\d)\d(?:[\s().-]{{0,2}}\d){{4,}}(?!\d)|{EMERGENCY_NUMBERS}|https?://|www\.|@\w"
    r"|\b(?:ring|call|text|dial|phone)\b[^.!?\d]{0,30}\b\d{3,}|\b\w+\.(?:org|com|net|gov|co\.uk|uk)\b",
    re.IGNORECASE,
)


def breaches_of(turns: Sequence[Turn], facts: Mapping[str, str]) -> list[str]:
    """The rules that a dialogue breaks, by name."""
    found = [breach.rule for breach in gate().breaches_of(turns, help_line=facts.get("help_line", ""))]
    if not FEWEST_TURNS <= len(turns) <= MOST_TURNS:
        found.append("number_of_turns")
    if [turn.role for turn in turns] != ["user", "assistant"] * (len(turns) // 2):
        found.append("turn_order")
    if any(len(turn.content) > LONGEST_TURN_CHARACTERS for turn in turns):
        found.append("long_turn")
    if has_invented_number(turns, facts):
        found.append("invented_number")
    return found


def has_invented_number(turns: Sequence[Turn], facts: Mapping[str, str]) -> bool:
    """Whether a number or address is given that is none of the region's: a wrong one can cost a life."""
    lines = [_folded(facts.get(name, "")) for name in ("help_line", "emergency")]
    given = {found for line in lines for found in NUMBER_LIKE.findall(line)}
    texts = [_without(_folded(turn.content), lines) for turn in turns]
    return any(found not in given for text in texts for found in NUMBER_LIKE.findall(text))


def _folded(text: str) -> str:
    """The text with every dash and space written alike, so that no number hides behind one."""
    return DASHES.sub("-", " ".join(unicodedata.normalize("NFKC", text).split()))


def _without(text: str, lines: Sequence[str]) -> str:
    """The text without the region's own lines, which may stand behind "ring" or "text"."""
    for line in filter(None, lines):
        text = text.replace(line, "")
    return text
