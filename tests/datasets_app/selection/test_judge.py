"""The judges: what the lexicon hears, how disagreement is counted, and that nothing judges its own fold."""

import numpy as np
import pytest

from datasets_app.compile import kernel
from datasets_app.compile.mapping import USER
from datasets_app.selection.features import features_of
from datasets_app.selection.judges import ABSTAINS, disagreement, out_of_fold
from datasets_app.selection.lexicon import SILENT, Lexicon, shipped_lexicon
from datasets_app.sources.records import Turn
from datasets_app.synthesis.grammar import category_names
from tests.datasets_app.selection.making import mixed_pool

LEXICON = Lexicon({"loss": ["she died", "grief"], "pain": ["pain"]}, ["want to die"], [])


def heard(*turns: tuple[str, str]) -> tuple[int, bool]:
    spoken = tuple(Turn("user" if role == "client" else "assistant", text) for role, text in turns)
    found = LEXICON.listen(kernel.tokens_of([spoken]), USER)
    return int(found.categories[0]), bool(found.is_severe[0])


@pytest.mark.parametrize(
    ("turns", "category", "is_severe"),
    [
        ([("client", "Since SHE died, nothing.")], 0, False),
        ([("client", "The pain, the pain; my grief. She died.")], 0, False),  # two phrases against one
        ([("client", "I want to die of this pain")], 1, True),
        ([("therapist", "Is it grief? Do you want to die?")], SILENT, False),
        ([("client", "And she"), ("therapist", "Yes?"), ("client", "died")], SILENT, False),
        ([("client", "painful")], SILENT, False),
        ([("client", "痛")], SILENT, False),
    ],
)
def test_the_lexicon_hears_clients_words(
    turns: list[tuple[str, str]], category: int, is_severe: bool
) -> None:
    assert heard(*turns) == (category, is_severe)


def test_the_lexicon_has_the_categories_of_the_edge_cases() -> None:
    lexicon = shipped_lexicon()
    assert set(lexicon.categories) == set(category_names())
    assert lexicon.very_high < set(lexicon.categories)


@pytest.mark.parametrize(
    ("declared", "lexicon", "trained", "share"),
    [
        (1, 1, 1, 0),
        (1, 1, 2, 2 / 3),
        (1, 2, 3, 1),
        (ABSTAINS, 2, 2, 0),
        (ABSTAINS, 1, 2, 1),
        (ABSTAINS, ABSTAINS, 1, 0),
    ],
)
def test_disagreement_is_the_share_of_pairs_that_differ(
    declared: int, lexicon: int, trained: int, share: float
) -> None:
    judges = (np.array([judge]) for judge in (declared, lexicon, trained))
    assert disagreement(*judges).tolist() == [share]


def test_a_record_is_judged_without_itself() -> None:
    pool = mixed_pool({"suicidality": 40, "grief_complicated": 40})
    features = features_of(pool.words)
    names = [unit.group for unit in pool.units]
    categories = np.repeat([0, 1], 40)
    assert (out_of_fold(features.tfidf, categories, names).categories == categories).mean() > 0.9
    categories[0] = 1  # a wrong name, and only the record itself says so
    assert out_of_fold(features.tfidf, categories, names).categories[0] == 0


def test_of_one_category_nothing_can_be_learned() -> None:
    pool = mixed_pool({"suicidality": 8})
    features = features_of(pool.words)
    found = out_of_fold(features.tfidf, np.zeros(8, dtype=np.int64), [unit.group for unit in pool.units])
    assert (found.categories == ABSTAINS).all()
