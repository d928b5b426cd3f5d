"""A look into an uploaded file before anything of it is imported."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from datasets_app.importing.forms import format_name
from datasets_app.importing.reading import column_names, read_options, resolve_format
from datasets_app.importing.selectors import ReasonCount
from datasets_app.importing.uploads import open_upload
from datasets_app.models import Upload
from datasets_app.sources import parquet
from datasets_app.sources.opening import MEGABYTE, TooMuchTextError
from datasets_app.sources.records import Dialogue, Reject, SourceError
from datasets_app.sources.registry import ReadOptions, read_source
from prometheus_site.core.sealing import TextErasedError

SHOWN_RECORDS = 5
READ_RECORDS = 500
READ_BYTES = 4 * MEGABYTE  # unpacked: a page view reads no more, however few records stand in it


@dataclass
class Preview:
    """What the first records of a file look like; `problem` says why it cannot be imported as it is read."""

    format: str = ""
    columns: list[str] = field(default_factory=list)
    needs_columns: bool = False
    dialogues: list[Dialogue] = field(default_factory=list)
    kept: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    is_whole: bool = False
    is_cut: bool = False  # reading stopped at READ_BYTES, before 500 records
    estimated_total: int = 0
    last_row: int = 0
    problem: str = ""

    @property
    def read_count(self) -> int:
        return self.kept + self.rejects.total()

    @property
    def reasons(self) -> list[ReasonCount]:
        """The rejects so far by reason, most frequent first."""
        return [ReasonCount(reason, count) for reason, count in self.rejects.most_common()]

    @property
    def format_name(self) -> str:
        return format_name(self.format)


def preview_of(upload: Upload, *, format: str, options: dict[str, object]) -> Preview:
    """Read up to 500 records or 4 MB of the upload and keep the first five conversations."""
    found = Preview()
    reading = read_options(options, max_plain_bytes=READ_BYTES)
    try:
        found.format = resolve_format(
            open_upload(upload), name=upload.file_name, format=format, options=reading
        )
        if found.format in {"delimited", parquet.FORMAT}:
            found.columns = column_names(open_upload(upload), name=upload.file_name, options=reading)
        found.needs_columns = bool(found.columns) and not reading.columns
        if not found.needs_columns:
            _read_first(found, upload, reading)
    except SourceError as error:
        found.problem = str(error)
    except TextErasedError:
        found.problem = str(SourceError(upload.file_name, "the source was withdrawn", "discard this file"))
    return found


def _read_first(found: Preview, upload: Upload, options: ReadOptions) -> None:
    stream = open_upload(upload)
    records = read_source(stream, name=upload.file_name, format=found.format, options=options)
    try:
        for record in islice(records, READ_RECORDS):
            _note(found, record)
    except TooMuchTextError:
        found.is_cut = True
        if not found.read_count:
            raise SourceError(
                upload.file_name,
                f"the first {READ_BYTES // MEGABYTE} MB hold no whole record",
                "check how it is read, or divide it into shorter conversations",
            ) from None
    found.is_whole = not found.is_cut and found.read_count < READ_RECORDS
    share = stream.tell() / upload.size_bytes
    if found.format == parquet.FORMAT:  # whose columns lie one behind the other: no byte tells how far one is
        share = found.last_row / parquet.row_count(open_upload(upload), upload.file_name)
    found.estimated_total = found.read_count if found.is_whole else round(found.read_count / share)


def _note(found: Preview, record: Dialogue | Reject) -> None:
    found.last_row = record.row
    if isinstance(record, Reject):
        found.rejects[str(record.reason)] += 1
        return
    found.kept += 1
    if len(found.dialogues) < SHOWN_RECORDS:
        found.dialogues.append(record)
