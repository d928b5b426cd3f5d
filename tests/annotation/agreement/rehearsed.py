"""Labels of five simulated clinicians on made-up conversations, with one cause of disagreement planted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from annotation.agreement.counts import IntArray, Ratings, rate_labels
from annotation.rehearsal.chance import chance
from annotation.rehearsal.clinician import SimulatedClinician
from annotation.rehearsal.texts import MadeConversation, made_conversations
from annotation.schemes.definition import Scheme, parse_scheme
from annotation.schemes.shipped import default_scheme

NAMES = ("anna", "ben", "carl", "dora", "emil")
BOTH = frozenset({"client", "assistant"})


def scheme_of(*keys: str) -> Scheme:
    """The shipped scheme with these questions only, each asked of every sample."""
    scheme = parse_scheme(default_scheme())
    forms = (
        replace(
            form,
            dimensions=tuple(replace(each, shown_when=None) for each in form.dimensions if each.key in keys),
        )
        for form in scheme.forms
    )
    groupings = tuple(each for each in scheme.groupings if each.dimension in keys)
    return replace(scheme, forms=tuple(form for form in forms if form.dimensions), groupings=groupings)


CRISIS, MODALITY = "crisis_intensity", "modality_primary"
SCHEME = scheme_of(CRISIS, MODALITY)
CODES = {key: SCHEME.dimension(key).codes for key in (CRISIS, MODALITY)}


def conversations(seed: int, count: int) -> list[MadeConversation]:
    """Conversations in which the assistant answers."""
    made = made_conversations(2 * count, seed)
    return [each for each in made if any(role == "assistant" for role, _ in each.turns)][:count]


def answers_of(clinician: SimulatedClinician, texts: Sequence[MadeConversation]) -> dict[str, IntArray]:
    """The clinician's answers to both questions, as places in their codes."""
    read = [clinician.read(SCHEME, text.turns, BOTH) for text in texts]
    return {
        key: np.array([codes.index(str(answers[key])) for answers in read]) for key, codes in CODES.items()
    }


def campaign(
    seed: int, count: int, biases: Sequence[float] = (0, 0, 0, 0, 0), skill: float = 0.9
) -> dict[str, IntArray]:
    """codes[item, rater] of both questions by five clinicians of these biases."""
    texts = conversations(seed, count)
    read = [
        answers_of(SimulatedClinician(name, seed, skill, bias), texts)
        for name, bias in zip(NAMES, biases, strict=True)
    ]
    return {key: np.column_stack([each[key] for each in read]) for key in CODES}


def ratings_of(codes: IntArray, key: str) -> Ratings:
    """The grid as ratings by the five named clinicians."""
    labels = [
        (item, name, CODES[key][codes[item, rater]])
        for item in range(len(codes))
        for rater, name in enumerate(NAMES)
    ]
    return rate_labels(labels, CODES[key])


def with_a_swap(codes: IntArray, rater: int, first: int, second: int) -> IntArray:
    """One clinician uses two codes the wrong way round."""
    own = codes[:, rater]
    planted = codes.copy()
    planted[:, rater] = np.where(own == first, second, np.where(own == second, first, own))
    return planted


def with_two_codes_as_one(codes: IntArray, first: int, second: int, seed: int) -> IntArray:
    """Nobody tells two codes apart: each label of either is one or the other by the throw of a coin."""
    planted = codes.copy()
    for item, rater in zip(*np.nonzero((codes == first) | (codes == second)), strict=True):
        throw = chance("as one", seed, item, rater).random() < 0.5
        planted[item, rater] = first if throw else second
    return planted
