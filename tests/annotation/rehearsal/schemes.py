"""Schemes of every kind that a campaign may have, and samples to answer them for."""

from typing import Any

from hypothesis import strategies as st

from annotation.rehearsal.reading import Turn
from annotation.rehearsal.texts import made_conversations
from annotation.schemes.definition import Scheme, parse_scheme
from annotation.schemes.shipped import default_scheme

DEFAULT = parse_scheme(default_scheme())
CONVERSATIONS = [made.turns for made in made_conversations(60, seed=11)]
KEYS = ("crisis_intensity", "modality_primary", "crisis_types", "crisis_not_ratable")
CODES = ("0", "1", "2", "cbt", "act", "suicide", "violence", "left", "right")
SUBJECTS = ("client", "assistant", "conversation")


@st.composite
def schemes(draw: st.DrawFn) -> Scheme:
    """A scheme of all four scales with conditions, exclusions and limits; every one can be answered."""
    earlier: list[dict[str, Any]] = []
    forms = []
    for number in range(draw(st.integers(1, 3))):
        dimensions = []
        for _ in range(draw(st.integers(1, 4))):
            dimensions.append(draw(_dimensions(f"d{len(earlier)}", tuple(earlier))))
            earlier.append(dimensions[-1])
        forms.append(
            {
                "key": f"form{number}",
                "title": "A form",
                "asks_about": draw(st.sampled_from(SUBJECTS)),
                "dimensions": dimensions,
            }
        )
    headline = {
        "key": "d_last",
        "title": "Last",
        "scale": "nominal",
        "is_required": True,
        "is_headline": True,
    }
    dimensions.append({**headline, "categories": _categories(["left", "right"])})
    return parse_scheme({"key": "made", "version": "1", "title": "Made", "forms": forms})


def _categories(codes: list[str]) -> list[dict[str, str]]:
    return [{"code": code, "label": code.title()} for code in codes]


@st.composite
def _dimensions(draw: st.DrawFn, key: str, earlier: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    free = [each for each in KEYS if all(each != other["key"] for other in earlier)]
    scale = draw(st.sampled_from(["ordinal", "nominal", "multi", "flag"]))
    dimension: dict[str, Any] = {
        "key": draw(st.sampled_from([key, *free])),
        "title": "A question",
        "scale": scale,
    }
    if scale != "flag":
        dimension["is_required"] = draw(st.booleans())
        codes = st.lists(st.sampled_from(CODES), min_size=2, max_size=6, unique=True)
        dimension["categories"] = draw(codes.map(_categories))
    if scale == "multi":
        is_limited: bool = draw(st.booleans())
        if is_limited:
            dimension["max_choices"] = draw(st.integers(1, len(dimension["categories"])))
        nominals = [other["key"] for other in earlier if other["scale"] == "nominal"]
        is_excluding: bool = draw(st.booleans())
        if nominals and is_excluding:
            dimension["excludes"] = draw(st.sampled_from(nominals))
    deciding = [other for other in earlier if other["scale"] != "multi"]
    is_conditional: bool = draw(st.booleans())
    if deciding and is_conditional:
        dimension["shown_when"] = draw(_conditions(draw(st.sampled_from(deciding))))
    return dimension


@st.composite
def _conditions(draw: st.DrawFn, other: dict[str, Any]) -> dict[str, Any]:
    if other["scale"] == "flag":
        return {"dimension": other["key"], "is_set": draw(st.booleans())}
    codes = [category["code"] for category in other["categories"]]
    if other["scale"] == "ordinal" and draw(st.booleans()):
        return {"dimension": other["key"], "at_least": draw(st.sampled_from(codes))}
    chosen = draw(st.lists(st.sampled_from(codes), min_size=1, unique=True))
    return {"dimension": other["key"], "is_one_of": chosen}


def turns() -> st.SearchStrategy[tuple[Turn, ...]]:
    """Turns of a made-up conversation, or of any characters."""
    turn = st.tuples(st.sampled_from(["user", "assistant", "system"]), st.text(max_size=30))
    return st.sampled_from(CONVERSATIONS) | st.lists(turn, max_size=4).map(tuple)


def speakers() -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(["client", "assistant"]))


def speakers_of(conversation: tuple[Turn, ...]) -> frozenset[str]:
    """Return who speaks, as the page of a sample knows it."""
    return frozenset("client" if role == "user" else "assistant" for role, _ in conversation)
