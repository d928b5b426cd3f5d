"""The fact sheet of a dialogue: who speaks, whom they speak of, drawn once and never changed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from .grammar import CategoryGrammar, yaml_of

PRONOUNS = {"m": ("he", "him", "his"), "f": ("she", "her", "her")}
SINGLE_DRAWS = {
    "span": "spans",
    "month": "months",
    "day": "days",
    "hour": "hours",
    "room": "rooms",
    "hobby": "hobbies",
    "doctor": "doctors",
    "place": "places",
    "neighbour": "neighbours",
    "boss": "bosses",
    "thing": "small_things",
    "meal": "meals",
    "show": "shows",
    "number": "numbers",
}
TEEN_TEACHERS = ("Miss Avery", "Mr Singh", "Mrs Boateng", "Mr Hale", "Miss Ito", "Mr Flynn")
YOUNGEST_PARENT_YEARS = 22


def fact_sheet(
    grammar: CategoryGrammar, setting: str, region: Mapping[str, str], throw: random.Random
) -> dict[str, str]:
    """Draw every fact that a sentence may need."""
    pools = yaml_of("people.yaml")
    youngest, oldest = grammar.people["ages"]
    age = throw.randint(youngest, oldest)
    sheet = {fact: throw.choice(pools[pool]) for fact, pool in SINGLE_DRAWS.items()}
    sheet.update(_names(grammar, pools, age, throw))
    pet, pet_name = throw.choice(pools["pets"])
    job, work = throw.choice(pools[f"{grammar.people.get('work', 'adult')}_jobs"])
    sheet.update(age=str(age), pet=pet, petname=pet_name, job=job, work=work)
    if grammar.people.get("work") == "teen":
        sheet["boss"] = throw.choice(TEEN_TEACHERS)
    several = {
        **pools["settings"][setting],
        "help_line": region[grammar.people["help"]],
        "emergency": region["emergency"],
    }
    sheet.update({fact: throw.choice(names.split(" | ")) for fact, names in several.items()})
    return sheet


def _names(
    grammar: CategoryGrammar, pools: Mapping[str, Any], age: int, throw: random.Random
) -> dict[str, str]:
    """Names of the client and the others, each of them another name."""
    women, men = list(pools["names_f"]), list(pools["names_m"])
    throw.shuffle(women)
    throw.shuffle(men)
    named = {"f": women, "m": men}
    relation, other_gender = throw.choice(sorted(grammar.people["other"].items()))
    sibling, sib_gender = throw.choice(pools["siblings"])
    child_gender = throw.choice("fm")
    sheet = {
        "name": named[throw.choice(grammar.people.get("genders", "fm"))].pop(),
        "o": named[other_gender].pop(),
        "rel": relation,
        "sib": sibling,
        "sibname": named[sib_gender].pop(),
        "child": named[child_gender].pop(),
        "childage": str(throw.randint(4, max(5, min(13, age - YOUNGEST_PARENT_YEARS)))),
        "friend": throw.choice(pools["friends"]),
    }
    sheet["he"], sheet["him"], sheet["his"] = PRONOUNS[other_gender]
    for whom, gender in (("sib", sib_gender), ("child", child_gender)):
        sheet[f"she_{whom}"], sheet[f"her_{whom}"], sheet[f"hers_{whom}"] = PRONOUNS[gender]
    return sheet
