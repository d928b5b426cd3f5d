"""From the address of a dataset to its picks: only a dataset whose eight gates hold is picked from."""

from dataclasses import dataclass

from datasets_app.selection.documents import PickedUnit, Report
from datasets_app.selection.lexicon import shipped_lexicon
from datasets_app.selection.outcome import picked_units, report_of
from datasets_app.selection.policy import select
from datasets_app.selection.pool import Progress, read_pool, tell_nobody
from datasets_app.storage import storage_at
from datasets_app.verify import failed, read_dataset


class GatesFailedError(Exception):
    """The dataset may not be used: gates do not hold, or were never tried."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What was picked from the dataset at an address, and the report of it."""

    address: str
    picks: list[PickedUnit]
    report: Report


def select_samples(address: str, count: int, seed: int, report: Progress = tell_nobody) -> Selected:
    """Pick from the dataset; the steps told of are read, judge and cover.

    Raises GatesFailedError, DamagedDatasetError, NotADatasetError and StorageError.
    """
    manifest = read_dataset(address)
    if gates := failed(manifest.gates):
        raise GatesFailedError(
            f"The dataset at {address} may not be picked from: these gates do not hold: {', '.join(gates)}. "
            "Run verify_final_dataset to see why."
        )
    lexicon = shipped_lexicon()
    pool = read_pool(storage_at(address), manifest, lexicon, report)
    selection = select(pool, lexicon, count, seed, report)
    return Selected(address, picked_units(selection), report_of(selection, pool, manifest, lexicon))
