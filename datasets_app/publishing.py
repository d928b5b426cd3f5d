"""A dataset carried to another storage: shards first, each read back and compared, the manifest last.

Beside the shards go a card for people (README.md) and Croissant metadata for programs (croissant.json).
"""

import hashlib
from collections.abc import Callable, Iterator

import msgspec
import orjson

from datasets_app.compile.compiling import MANIFEST
from datasets_app.compile.contract import UNDECODABLE, Manifest
from datasets_app.describing.card import card_of
from datasets_app.describing.croissant import croissant_of
from datasets_app.storage import MissingError, Storage, StorageError
from datasets_app.verify import failed

CARD, CROISSANT = "README.md", "croissant.json"
ATTEMPTS = 3  # to write an object that comes back as it was sent

Report = Callable[[str, int, int], None]  # the object, its number, and how many there are


class NotPublishableError(Exception):
    """The dataset must not be published as it is."""


def publish(source: Storage, target: Storage, report: Report) -> Manifest:
    """Carry the dataset at `source` to `target`, going on where an earlier attempt stopped.

    Raises NotPublishableError, and StorageError when the target fails; then its manifest is the old one.
    """
    pointer = source.read(MANIFEST)
    try:
        manifest = msgspec.json.decode(pointer, type=Manifest)
    except UNDECODABLE as error:
        raise NotPublishableError(
            f"{MANIFEST} at {source.address} does not keep the contract: {error}."
        ) from None
    if gates := failed(manifest.gates):
        raise NotPublishableError(f"These gates do not hold, so nothing was published: {', '.join(gates)}.")
    known = target.read_pointer(MANIFEST)
    objects = list(_objects(manifest))
    for number, (path, sha256) in enumerate(objects, 1):
        report(path, number, len(objects))
        _carry(source, target, path, sha256)
    for path, data in _descriptions(manifest, target.address):
        _put(target, path, data, hashlib.sha256(data).hexdigest())
    if known is None or known[0] != pointer:
        target.put_pointer(MANIFEST, pointer, known[1] if known else None)
    written = target.read_pointer(MANIFEST)
    if written is None or written[0] != pointer:
        raise StorageError(f"{target.address} gave back another {MANIFEST} than was written: publish again.")
    return manifest


def is_published(source: Storage, target: Storage) -> bool:
    """Whether all of the dataset at `source` stands at `target` as it was sent. Raises StorageError."""
    pointer = source.read(MANIFEST)
    known = target.read_pointer(MANIFEST)
    if known is None or known[0] != pointer:
        return False
    manifest = msgspec.json.decode(pointer, type=Manifest)
    described = _descriptions(manifest, target.address)
    sent = (*_objects(manifest), *((path, hashlib.sha256(data).hexdigest()) for path, data in described))
    return all(_holds(target, path, sha256) for path, sha256 in sent)


def _objects(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Path and SHA-256 of everything the manifest names."""
    for split in (manifest.splits.train, manifest.splits.val, manifest.splits.test):
        for shard in (*split.shards, *split.parquet_shards):
            yield shard.path, shard.sha256
    yield manifest.provenance.uri, manifest.provenance.sha256


def _descriptions(manifest: Manifest, address: str) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of what the manifest says in words and to programs."""
    folder = f"builds/{manifest.build_id}"
    yield f"{folder}/{CARD}", card_of(manifest).encode()
    croissant = croissant_of(manifest, address)
    yield f"{folder}/{CROISSANT}", orjson.dumps(croissant, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def _carry(source: Storage, target: Storage, path: str, sha256: str) -> None:
    """Write one object unless it is there; what the target says of its content is not believed."""
    if _holds(target, path, sha256):
        return  # without reading it here
    data = source.read(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise NotPublishableError(f"{path} at {source.address} is not what the manifest says: compile again.")
    _put(target, path, data, sha256)


def _put(target: Storage, path: str, data: bytes, sha256: str) -> None:
    if _holds(target, path, sha256):
        return
    for _ in range(ATTEMPTS):
        target.put(path, data)
        if _holds(target, path, sha256):
            return
    raise StorageError(f"{target.address} gave back another {path} than was written, {ATTEMPTS} times.")


def _holds(target: Storage, path: str, sha256: str) -> bool:
    try:
        return hashlib.sha256(target.read(path)).hexdigest() == sha256
    except MissingError:
        return False
