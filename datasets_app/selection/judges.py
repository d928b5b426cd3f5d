"""Three cheap judges of a category, how far they disagree, and how unsure the trained one is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.naive_bayes import ComplementNB

from datasets_app.compile.kernel import Integers
from datasets_app.selection.lots import lot_of

FOLDS = 5
FIXED = 0  # folds hang on the records alone
ABSTAINS = -1


@dataclass(frozen=True, slots=True)
class Verdicts:
    """An entry per record: the classifier's category, or ABSTAINS, and 1 - the margin to its second."""

    categories: Integers
    unsureness: NDArray[np.float64]


def out_of_fold(tfidf: csr_array, categories: Integers, names: Sequence[str]) -> Verdicts:
    """What complement naive Bayes (Rennie et al. 2003) says of each record, fitted without its fold."""
    said = np.full(len(categories), ABSTAINS, dtype=np.int64)
    unsure = np.ones(len(categories))
    folds = np.array([int.from_bytes(lot_of(FIXED, "fold", name)) % FOLDS for name in names])
    for fold in range(FOLDS):
        rows, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if not len(rows) or not tfidf.shape[1] or len(np.unique(categories[others])) < 2:
            continue
        model = ComplementNB().fit(tfidf[others], categories[others])
        chances = np.sort(found := model.predict_proba(tfidf[rows]), axis=1)
        said[rows] = model.classes_[found.argmax(axis=1)]
        unsure[rows] = 1 - (chances[:, -1] - chances[:, -2])
    return Verdicts(said, unsure)


def disagreement(*judges: Integers) -> NDArray[np.float64]:
    """The share of pairs of judges that differ, of those who do not abstain; 0 where one judge is left."""
    differing = np.zeros(len(judges[0]))
    pairs = np.zeros(len(judges[0]))
    for number, one in enumerate(judges):
        for other in judges[number + 1 :]:
            both = (one != ABSTAINS) & (other != ABSTAINS)
            pairs += both
            differing += both & (one != other)
    share: NDArray[np.float64] = differing / np.maximum(pairs, 1)
    return share
