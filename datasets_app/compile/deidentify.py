"""Takes out what names a person or a place: precise patterns first, names only where the context says so."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from datasets_app.compile.hints import Hint, Hints

LONG_NUMBER_DIGITS = 9
# People of books and of faith, and words that stand where a name could: none of them tells who speaks.
_NOT_PRIVATE = """
    Freud Jung Rogers Beck Linehan Ellis Bowlby Ainsworth Erikson Maslow Skinner Pavlov Piaget Yalom Frankl
    Satir Perls Adler Winnicott Klein Gottman Shapiro Hayes Miller Rollnick Kernberg Kabat God Jesus Allah
    Buddha Mohammed Moses Phil Oz Seuss Google Siri Alexa Crazy Stupid Lazy Selfish Mum Mom Dad Mama Papa
    Anytime Today Tomorrow Tonight Monday Tuesday Wednesday Thursday Friday Saturday Sunday Back If When
    Because And But Or So Not Now Just The A An I It My His Her Your Their Our This That These Those
    Crisis Support Therapist Counselor Counsellor Doctor Nurse Assistant
"""
NOT_PRIVATE = frozenset(_NOT_PRIVATE.split())
# Lines for everybody: toll-free, and the short ones of crisis services never match a telephone pattern.
_TOLL_FREE = re.compile(r"(?:\+?1[\s.-]?)?\(?8(?:00|33|44|55|66|77|88)\)?")

_NAME = r"[A-Z][a-z]+(?:['’-][A-Z]?[a-z]+)*"  # noqa: RUF001 -- the typographic apostrophe
_STREETS = "Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Boulevard|Blvd|Court|Way|Place|Square|Crescent|Terrace"


class _Pattern(NamedTuple):
    """What is replaced by its mark; only a text with the hint is searched, which is slow."""

    mark: str
    hint: Hint
    expression: re.Pattern[str]
    is_private: Callable[[re.Match[str]], bool] = lambda match: True


def _is_private_name(match: re.Match[str]) -> bool:
    return match["name"].split()[0] not in NOT_PRIVATE


_PATTERNS = (
    _Pattern("EMAIL", Hint(("@",)), re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    _Pattern(
        "URL",
        Hint(("://", "www.")),
        re.compile(r"(?:\b[a-z][a-z+.-]*://|\bwww\.)[^\s<>\"')\]]*[^\s<>\"')\].,;:!?]"),
    ),
    _Pattern("SSN", Hint(("-",), digits=9), re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")),
    _Pattern(
        "PHONE",
        Hint(digits=8),
        re.compile(
            r"(?<![\w.+-])(?:"
            r"(?:\+?1[\s.-]?)?(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{4}"
            r"|\+\d{1,3}(?:[\s.-]?\(?\d{1,4}\)?){2,5}"
            r"|0\d{2,4}[\s-]\d{3,4}[\s-]?\d{3,4}"
            r")(?![\w-])"
        ),
        lambda match: _TOLL_FREE.match(match[0]) is None,
    ),
    _Pattern(
        "ADDRESS",
        Hint(tuple(f" {street}" for street in _STREETS.split("|")), digits=1),
        re.compile(rf"(?<![\w-])\d{{1,5}}[a-z]?\s(?:[A-Z][a-z]+\s){{1,3}}(?:{_STREETS})\b"),
    ),
    _Pattern("HANDLE", Hint(("@",)), re.compile(r"(?<![\w@.])@[A-Za-z_]\w{2,}")),
    _Pattern(
        "NAME",
        Hint(("ame is ", "ame's ", "ame’s ", "all me ", "nown as ", "igned,")),  # noqa: RUF001 -- as above
        re.compile(
            r"(?P<lead>\b(?:[Mm]y (?:(?:full|first|last|real) )?name(?: is|['’]s) "  # noqa: RUF001 -- as above
            r"|(?:[Yy]ou can |[Pp]eople |[Pp]lease )?[Cc]all me |[Aa]lso known as |\b[Ss]igned,\s+))"
            rf"(?P<name>{_NAME}(?:\s{_NAME}){{0,2}})\b"
        ),
        _is_private_name,
    ),
    _Pattern(
        "NAME",
        Hint(("Dr", "Mr", "Ms", "Prof")),
        re.compile(rf"(?P<lead>\b(?:Dr|Mrs?|Ms|Prof)\.?\s)(?P<name>{_NAME}(?:\s{_NAME})?)\b"),
        _is_private_name,
    ),
)
_LONG_NUMBER = re.compile(r"(?<![\w.])\d(?:[ -]?\d){8,}(?!\w)")


_HINTS = Hints([*(pattern.hint for pattern in _PATTERNS), Hint(digits=LONG_NUMBER_DIGITS)])
_LONG_NUMBER_BIT = 1 << len(_PATTERNS)


def suspected(texts: Sequence[str]) -> list[int]:
    """What each text must be searched for, as `deidentify` takes it; nothing, for most, is 0."""
    return _HINTS.suspected(texts)


def deidentify(text: str, suspicions: int, *, keeps_names: bool = False) -> tuple[str, Counter[str]]:
    """`text` with a mark such as [EMAIL] in the place of each span, and how many spans of each kind.

    Names stay where `keeps_names` says that they are made up.
    """
    spans: Counter[str] = Counter()
    for number, pattern in enumerate(_PATTERNS):
        if suspicions & (1 << number) and not (keeps_names and pattern.mark == "NAME"):
            text = _replaced(text, pattern, spans)
    return text, spans


def holds_long_number(text: str, suspicions: int) -> bool:
    """Whether a number is left that might be an account or a case, so that a person should look."""
    return bool(suspicions & _LONG_NUMBER_BIT) and _LONG_NUMBER.search(text) is not None


def _replaced(text: str, pattern: _Pattern, spans: Counter[str]) -> str:
    def mark(match: re.Match[str]) -> str:
        if not pattern.is_private(match):
            return match[0]
        spans[pattern.mark] += 1
        lead = match["lead"] if "lead" in pattern.expression.groupindex else ""
        return f"{lead}[{pattern.mark}]"

    return pattern.expression.sub(mark, text)
