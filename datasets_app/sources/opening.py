"""A binary stream opened as text: gzip, byte order marks, strict decoding and a limit for one line."""

import codecs
import gzip
import io
import zlib
from typing import BinaryIO

from .options import ReadOptions
from .records import SourceError

HEAD_BYTES = 64 * 1024
MEGABYTE = 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARKS = (  # the marks of UTF-32 begin with those of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
OTHER_FILES = (
    (b"PK\x03\x04", "a ZIP archive, an Excel workbook or a Word document"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
)


class TooMuchTextError(SourceError):
    """The file holds more than `ReadOptions.max_plain_bytes`; what was read before that is whole."""

    def __init__(self, file: str, max_bytes: int) -> None:
        super().__init__(
            file,
            f"the file unpacks to more than {max_bytes // MEGABYTE} MB",
            "divide it, or import it with `manage.py import_conversations PATH`, which has no limit",
        )


class TextSource(io.TextIOWrapper):
    """The text of a file, line by line or in chunks; every failure is a `SourceError`.

    `file` is the name people know it by, `head` the text of its first 64 KiB and `line_number` the number
    of lines handed out so far. Line ends arrive as line feeds.
    """

    def __init__(self, data: "PlainBytes", encoding: str, max_line_bytes: int) -> None:
        super().__init__(data, encoding=encoding, errors="strict", newline=None)
        self._data = data
        self._max_line_bytes = max_line_bytes
        self.file = data.name
        self.head = decoded_head(data.peek(HEAD_BYTES), encoding)
        self.line_number = 0

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]  # as in typeshed itself
        limit = self._max_line_bytes
        try:
            line = super().readline(limit + 1 if size < 0 else min(size, limit + 1))
        except UnicodeError as error:
            raise self._undecodable(error) from None
        if len(line) > limit // 4 and len(line.encode("utf-8", "surrogatepass")) > limit:
            raise SourceError(
                self.file,
                f"line {self.line_number + 1} is longer than {limit} bytes, "
                f"still without an end near byte {self._data.offset}",
                "divide it into one record per line, or write the file as a JSON array",
                row=self.line_number + 1,
            )
        if line.endswith("\n") or (line and size < 0):
            self.line_number += 1
        return line

    def read(self, size: int | None = -1, /) -> str:
        try:
            return super().read(size)
        except UnicodeError as error:
            raise self._undecodable(error) from None

    def _undecodable(self, error: UnicodeError) -> SourceError:
        place, line = f"near byte {self._data.offset}", None
        if isinstance(error, UnicodeDecodeError):
            rest = error.object[error.start :]
            line = self._data.newlines - rest.count(b"\n") + 1
            place = f"byte {self._data.offset - len(rest)}, on line {line},"
        return SourceError(
            self.file,
            f"{place} is not valid {self.encoding.removesuffix('-sig').upper()}",
            "save the file as UTF-8, or name its encoding, such as latin-1",
            row=line,
        )


class PlainBytes(io.BufferedIOBase):
    """The bytes of a stream that need only have `read`, counted as they are handed out.

    Reading more than `max_bytes` of them raises TooMuchTextError.
    """

    def __init__(self, stream: BinaryIO, name: str, max_bytes: int | None = None) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self._fetched = 0
        self._ahead = b""
        self.name = name
        self.offset = 0
        self.newlines = 0

    def readable(self) -> bool:
        return True

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, or all that are left, without handing them out."""
        parts = [self._ahead]
        missing = size - len(self._ahead)
        while missing > 0 and (part := self._fetch(missing)):
            parts.append(part)
            missing -= len(part)
        self._ahead = b"".join(parts)
        return self._ahead[:size]

    def read1(self, size: int = -1, /) -> bytes:
        wanted = size if size >= 0 else HEAD_BYTES
        if self._ahead:
            data, self._ahead = self._ahead[:wanted], self._ahead[wanted:]
        else:
            data = self._fetch(wanted)
        self.offset += len(data)
        self.newlines += data.count(b"\n")
        return data

    def read(self, size: int | None = -1, /) -> bytes:
        parts = []
        missing = -1 if size is None else size
        while missing and (part := self.read1(missing)):
            parts.append(part)
            missing -= len(part) if missing > 0 else 0
        return b"".join(parts)

    def _fetch(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except EOFError:
            raise SourceError(
                self.name, "the gzip file ends too early", "copy or download it again, whole"
            ) from None
        except (gzip.BadGzipFile, zlib.error):
            raise SourceError(
                self.name, "the gzip data are damaged", "copy or download the file again"
            ) from None
        self._fetched += len(data)
        if self._max_bytes is not None and self._fetched > self._max_bytes:
            raise TooMuchTextError(self.name, self._max_bytes)
        return data


def open_text(stream: BinaryIO, *, name: str, options: ReadOptions) -> TextSource:
    """`stream` as text; gzip and byte order marks are recognised by their bytes.

    Raises SourceError for an empty or damaged file, for a known kind of file that is not text, and for an
    encoding that does not exist.
    """
    data = PlainBytes(stream, name, options.max_plain_bytes)
    if data.peek(len(GZIP_MAGIC)) == GZIP_MAGIC:
        unpacked = gzip.GzipFile(fileobj=data, mode="rb")
        data = PlainBytes(unpacked, name, options.max_plain_bytes)  # type: ignore[arg-type]
    head = data.peek(HEAD_BYTES)
    encoding = encoding_of(head, options.encoding)
    _refuse_other_files(head, encoding, name)
    try:
        text = TextSource(data, encoding, options.max_line_bytes)
    except LookupError:
        raise SourceError(
            name, "the encoding that was named does not exist", "name one such as utf-8 or latin-1"
        ) from None
    except UnicodeError:
        raise SourceError(
            name,
            "the file does not begin with a byte order mark",
            "name its encoding: utf-16-le or utf-16-be",
        ) from None
    if not text.head.strip() and len(head) < HEAD_BYTES:
        raise SourceError(name, "the file is empty", "choose a file with at least one conversation")
    return text


def encoding_of(head: bytes, named: str | None) -> str:
    """The encoding by the file's byte order mark, else the one a person named, else UTF-8."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    return named or "utf-8"


def decoded_head(head: bytes, encoding: str) -> str:
    """The text at the beginning of a file, for recognising it; undecodable bytes are replaced."""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head, final=False)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refuse_other_files(head: bytes, encoding: str, name: str) -> None:
    for magic, kind in OTHER_FILES:
        if head.startswith(magic):
            raise SourceError(name, f"this is {kind}, not text", "export it as CSV, JSON or plain text")
    if encoding == "utf-8" and head.count(0) * 10 > len(head):
        raise SourceError(
            name,
            "the file is full of NUL bytes, so it is binary or UTF-16 without a byte order mark",
            "save it as UTF-8, or name its encoding, such as utf-16-le",
        )
