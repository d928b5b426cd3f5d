"""The split that the root of a group, its smallest digest, puts the group into."""

import hashlib

from datasets_app.compile.contract import SPLITS

TRAIN, VAL, TEST = range(len(SPLITS))
PERCENT_TRAIN, PERCENT_VAL = 90, 5


def split_of(root: bytes) -> int:
    """The split by the SHA-256 of the root: 90, 5 and 5 of a hundred."""
    percent = int.from_bytes(hashlib.sha256(root).digest()) % 100
    return TRAIN if percent < PERCENT_TRAIN else VAL if percent < PERCENT_TRAIN + PERCENT_VAL else TEST
