"""Takes out what names a person or a place: precise patterns first, names only where the context says so."""

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

DIGITS = "0123456789"
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
    """What is replaced by its mark; only a text with a hint and enough digits is searched, which is slow."""

    mark: str
    hints: tuple[str, ...]
    digits: int
    expression: re.Pattern[str]
    is_private: Callable[[re.Match[str]], bool] = lambda match: True


def _is_private_name(match: re.Match[str]) -> bool:
    return match["name"].split()[0] not in NOT_PRIVATE


_PATTERNS = (
    _Pattern("EMAIL", ("@",), 0, re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    _Pattern(
        "URL",
        ("://", "www."),
        0,
        re.compile(r"(?:\b[a-z][a-z+.-]*://|\bwww\.)[^\s<>\"')\]]*[^\s<>\"')\].,;:!?]"),
    ),
    _Pattern("SSN", ("-",), 9, re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")),
    _Pattern(
        "PHONE",
        ("-", " ", "."),
        8,
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
        tuple(f" {street}" for street in _STREETS.split("|")),
        1,
        re.compile(rf"(?<![\w-])\d{{1,5}}[a-z]?\s(?:[A-Z][a-z]+\s){{1,3}}(?:{_STREETS})\b"),
    ),
    _Pattern("HANDLE", ("@",), 0, re.compile(r"(?<![\w@.])@[A-Za-z_]\w{2,}")),
    _Pattern(
        "NAME",
        ("ame is ", "ame's ", "ame’s ", "all me ", "nown as ", "igned,"),  # noqa: RUF001 -- as above
        0,
        re.compile(
            r"(?P<lead>\b(?:[Mm]y (?:(?:full|first|last|real) )?name(?: is|['’]s) "  # noqa: RUF001 -- as above
            r"|(?:[Yy]ou can |[Pp]eople |[Pp]lease )?[Cc]all me |[Aa]lso known as |\b[Ss]igned,\s+))"
            rf"(?P<name>{_NAME}(?:\s{_NAME}){{0,2}})\b"
        ),
        _is_private_name,
    ),
    _Pattern(
        "NAME",
        ("Dr", "Mr", "Ms", "Prof"),
        0,
        re.compile(rf"(?P<lead>\b(?:Dr|Mrs?|Ms|Prof)\.?\s)(?P<name>{_NAME}(?:\s{_NAME})?)\b"),
        _is_private_name,
    ),
)
_LONG_NUMBER = re.compile(r"(?<![\w.])\d(?:[ -]?\d){8,}(?!\w)")


def deidentify(text: str, *, keeps_names: bool = False) -> tuple[str, Counter[str]]:
    """`text` with a mark such as [EMAIL] in the place of each span, and how many spans of each kind.

    Names stay where `keeps_names` says that they are made up.
    """
    spans: Counter[str] = Counter()
    digits = _digits_in(text)
    for pattern in _PATTERNS:
        if keeps_names and pattern.mark == "NAME":
            continue
        if digits >= pattern.digits and _holds_one(text, pattern.hints):
            text = _replaced(text, pattern, spans)
    return text, spans


def may_identify(text: str) -> bool:
    """Whether a closer look at `text` is needed; most conversations need none."""
    return _holds_one(text, _ANY_HINTS)


def holds_long_number(text: str) -> bool:
    """Whether a number is left that might be an account or a case, so that a person should look."""
    return _digits_in(text) >= LONG_NUMBER_DIGITS and _LONG_NUMBER.search(text) is not None


_WORDLESS_HINTS = {hint: None for pattern in _PATTERNS if not pattern.digits for hint in pattern.hints}
_ANY_HINTS = (*DIGITS, *_WORDLESS_HINTS)


def _holds_one(text: str, hints: tuple[str, ...]) -> bool:
    for hint in hints:  # noqa: SIM110 -- without a generator: every conversation comes by here
        if hint[0] in text and hint in text:  # one character is found twenty times as fast as two
            return True
    return False


def _digits_in(text: str) -> int:
    return sum([text.count(digit) for digit in DIGITS if digit in text])


def _replaced(text: str, pattern: _Pattern, spans: Counter[str]) -> str:
    def mark(match: re.Match[str]) -> str:
        if not pattern.is_private(match):
            return match[0]
        spans[pattern.mark] += 1
        lead = match["lead"] if "lead" in pattern.expression.groupindex else ""
        return f"{lead}[{pattern.mark}]"

    return pattern.expression.sub(mark, text)
