"""Candidates for near duplicates by DuckDB: for more band keys than memory holds, and the same pairs."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datasets_app.compile.errors import CompileError, writing_into
from datasets_app.compile.kernel import Integers
from datasets_app.compile.reducing import REACH, Mapped

MEMORY_LIMIT = "2GB"
SCHEMA = pa.schema([("band", pa.uint16()), ("key", pa.uint64()), ("id", pa.uint64())])
LAGS = ", ".join(f"lag(id, {back}) OVER bucket" for back in range(1, REACH + 1))
# Every record with the first of its bucket and the last few before it, as kernel.bucket_pairs has it.
PAIRS = f"""
WITH shared AS (SELECT band, key FROM bands GROUP BY band, key HAVING count(*) > 1),
members AS (
    SELECT id, unnest([first_value(id) OVER bucket, {LAGS}]) AS earlier
    FROM bands SEMI JOIN shared USING (band, key)
    WINDOW bucket AS (PARTITION BY band, key ORDER BY id)
)
SELECT DISTINCT earlier * 4294967296 + id AS pair FROM members WHERE earlier < id ORDER BY pair
"""  # noqa: S608  numbers of our own


def candidates_by_duckdb(chunks: Sequence[Mapped], ids: Integers, folder: Path) -> NDArray[np.uint64]:
    """Pairs among the ascending `ids` that share a band, each once, as one number (earlier << 32 | later).

    What does not fit into 2 GB of memory goes into `folder`. Raises CompileError where the disk is full.
    """
    bands = folder / "bands.parquet"
    with writing_into(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _write_bands(chunks, ids, bands)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(folder / "spilled"),
    }
    try:
        with duckdb.connect(config=settings) as connection:
            connection.read_parquet(str(bands)).create_view("bands")
            found = connection.sql(PAIRS).fetchnumpy()["pair"]
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise CompileError(
            f"There is no room left to group near duplicates in {folder}: free some and run the same command "
            "again; it goes on where it stopped."
        ) from error
    bands.unlink()
    return np.asarray(found, dtype=np.uint64)


def _write_bands(chunks: Sequence[Mapped], ids: Integers, path: Path) -> None:
    """Write a row per band and record, chunk by chunk, so that memory stays flat."""
    start = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for chunk in chunks:
            first, stop = np.searchsorted(ids, [start, start + chunk.count])
            own = ids[first:stop]
            keys = chunk.array("band_keys")[:, own - start]
            columns = {
                "band": np.repeat(np.arange(len(keys), dtype=np.uint16), len(own)),
                "key": keys.ravel(),
                "id": np.tile(own.astype(np.uint64), len(keys)),
            }
            writer.write_table(pa.table(columns, schema=SCHEMA))
            start += chunk.count
