"""Artefacts under names made of what they were made from: there whole, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.lib import format as npy
from numpy.typing import NDArray

from datasets_app.compile.errors import writing_into


class Store:
    """A folder of artefacts; several processes may write the same artefact at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Where the artefact `key` stands, or would."""
        return self.folder / key

    def has(self, key: str) -> bool:
        """Whether the artefact is there; then it is whole."""
        return self.path(key).is_dir()

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """A folder to fill; it becomes the artefact at the end, or vanishes when that is not reached."""
        with writing_into(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=f"{key}.part-", dir=self.folder))
            try:
                yield part
                try:
                    part.rename(self.path(key))
                except OSError:
                    if not self.has(key):
                        raise
            finally:
                shutil.rmtree(part, ignore_errors=True)

    def keep_only(self, keys: set[str]) -> None:
        """Remove every other artefact, and what killed processes left behind."""
        for path in self.folder.iterdir():
            if path.name not in keys:
                shutil.rmtree(path, ignore_errors=True)


def write_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write each array under its name."""
    for name, array in arrays.items():
        whole = np.ascontiguousarray(array)
        # As np.save has it, which does not say so where the disk is full.
        with (folder / f"{name}.npy").open("wb") as file:
            header = npy.header_data_from_array_1_0(whole)  # type: ignore[no-untyped-call]
            npy.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
            file.write(whole.data)


def read_array(folder: Path, name: str) -> NDArray[Any]:
    """An array of the folder, mapped into memory: only what is used of it is read."""
    # As a plain array, of which an entry is taken many times as fast as of a numpy.memmap.
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))


def write_json(path: Path, value: object) -> None:
    """Write `value` as JSON with sorted keys, under its final name only when it is whole and on the disk."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_json(path: Path) -> Any:
    """The JSON value of a file."""
    return orjson.loads(path.read_bytes())
