"""Uploaded files at rest: sealed piece by piece, read back as one stream."""

import hashlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile

from datasets_app.models import Source, Upload, UploadChunk
from datasets_app.sources.records import SourceError
from prometheus_site.core.sealing import data_key_for, open_bytes, seal_bytes

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from prometheus_site.accounts.models import User

CHUNK_BYTES = 1024 * 1024
CHUNKS_PER_INSERT = 4


def seal_upload(*, file: "UploadedFile[bytes]", source: Source, user: "User") -> Upload:
    """Store the file under the source's key, one MiB a piece.

    Call inside a transaction that holds the source, or its withdrawal is undone by a new key.
    """
    digest = hashlib.sha256()
    for piece in _pieces(file):
        digest.update(piece)
    upload = Upload.objects.create(
        file_name=file.name or "upload",
        size_bytes=file.size or 0,
        sha256=digest.hexdigest(),
        data_key=data_key_for(source.key_scope),
        uploaded_by=user,
    )
    UploadChunk.objects.bulk_create(
        (
            UploadChunk(
                upload=upload,
                number=number,
                ciphertext=seal_bytes(piece, upload.data_key, bound_to=_place(upload, number)),
            )
            for number, piece in enumerate(_pieces(file))
        ),
        batch_size=CHUNKS_PER_INSERT,
    )
    return upload


def open_upload(upload: Upload) -> BinaryIO:
    """Return the file as a stream that opens one piece at a time.

    Reading raises SourceError when pieces are missing.
    """
    return cast(BinaryIO, io.BufferedReader(_SealedStream(upload), CHUNK_BYTES))


def _pieces(file: "UploadedFile[bytes]") -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(CHUNK_BYTES):
        yield piece


def _place(upload: Upload, number: int) -> bytes:
    return f"{upload.id}:{number}".encode()


class _SealedStream(io.RawIOBase):
    """The plaintext of an upload, one piece in memory at a time."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._position = 0
        self._ahead = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._upload.size_bytes}[whence]
        self._position, self._ahead = max(begin + offset, 0), memoryview(b"")
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if not self._ahead and self._position < self._upload.size_bytes:
            self._ahead = memoryview(self._next_piece())
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._ahead))
        target[:count] = self._ahead[:count]
        self._ahead = self._ahead[count:]
        self._position += count
        return count

    def _next_piece(self) -> bytes:
        """What is left, from the position, of the piece it lies in."""
        number, begin = divmod(self._position, CHUNK_BYTES)
        chunk = UploadChunk.objects.filter(upload=self._upload, number=number).first()
        if chunk is None:
            raise SourceError(
                self._upload.file_name, "the stored upload is not complete any more", "upload the file again"
            )
        place = _place(self._upload, number)
        return open_bytes(bytes(chunk.ciphertext), self._upload.data_key, bound_to=place)[begin:]
