"""The formats by name, and the way from a file of an unknown one to its conversations."""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from . import (
    alpaca,
    annomi,
    chatml,
    counsel_chat,
    delimited,
    esconv,
    hh_rlhf,
    parquet,
    prompt_response,
    psy_insight,
    sharegpt,
    transcript,
)
from .opening import TextSource, decoded_head, encoding_of, open_text
from .options import ReadOptions
from .records import Dialogue, Reject, SourceError

__all__ = ["FORMATS", "TEXT_FORMATS", "ReadOptions", "detect", "read_source"]

Reader = Callable[[TextSource, ReadOptions], Iterator[Dialogue | Reject]]
Sniffer = Callable[[str, str], bool]

TEXT_FORMATS: Mapping[str, Reader] = {
    "chatml": chatml.read,
    "sharegpt": sharegpt.read,
    "alpaca": alpaca.read,
    "prompt_response": prompt_response.read,
    "hh_rlhf": hh_rlhf.read,
    "esconv": esconv.read,
    "psy_insight": psy_insight.read,
    "annomi": annomi.read,
    "counsel_chat": counsel_chat.read,
    "delimited": delimited.read,
    "transcript": transcript.read,
}
FORMATS = (*TEXT_FORMATS, parquet.FORMAT)
_SNIFFERS: Mapping[str, Sniffer] = {
    "chatml": chatml.sniff,
    "sharegpt": sharegpt.sniff,
    "alpaca": alpaca.sniff,
    "prompt_response": prompt_response.sniff,
    "hh_rlhf": hh_rlhf.sniff,
    "esconv": esconv.sniff,
    "psy_insight": psy_insight.sniff,
    "annomi": annomi.sniff,
    "counsel_chat": counsel_chat.sniff,
    "delimited": delimited.sniff,
    "transcript": transcript.sniff,
}


def detect(head: bytes, filename: str) -> str:
    """The format of a file by its first bytes (uncompressed) and its name.

    Raises SourceError where no format fits, or more than one, which it then names.
    """
    if head.startswith(parquet.MAGIC):
        return parquet.FORMAT
    return _detect(decoded_head(head, encoding_of(head, None)), filename)


def read_source(
    stream: BinaryIO, *, name: str, format: str = "auto", options: ReadOptions
) -> Iterator[Dialogue | Reject]:
    """Every record of the file `name`, kept or rejected, in its order; the stream stays open.

    With `auto` Parquet is known by its bytes, a column mapping means CSV or TSV, and otherwise `detect`
    decides. Raises SourceError, also after the first records, where the file as a whole cannot be read: keep
    nothing of it then.
    """
    if format != "auto" and format not in FORMATS:
        raise SourceError(
            name, "no reader has the format that was named", f"name one of {', '.join(FORMATS)}"
        )
    if format == "auto" and parquet.is_parquet(stream):
        format = parquet.FORMAT
    is_empty = True
    for record in _records(stream, name, format, options):
        is_empty = False
        yield record
    if is_empty:
        raise SourceError(name, "the file holds no conversations", "choose a file with at least one")


def _records(stream: BinaryIO, name: str, format: str, options: ReadOptions) -> Iterator[Dialogue | Reject]:
    if format == parquet.FORMAT:
        return parquet.read(stream, name=name, options=options)
    text = open_text(stream, name=name, options=options)
    if format == "auto":
        format = "delimited" if options.columns else _detect(text.head, name)
    return TEXT_FORMATS[format](text, options)


def _detect(head: str, filename: str) -> str:
    candidates = [name for name, sniff in _SNIFFERS.items() if sniff(head, filename)]
    if len(candidates) > 1 and "delimited" in candidates:
        candidates.remove("delimited")  # a header that is known by name says more than the file's name
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        problem = f"the file could be of the formats {' or '.join(candidates)}"
        raise SourceError(filename, problem, "name the one it has")
    problem = "the format was not recognised"
    raise SourceError(filename, problem, f"name the one it has, out of {', '.join(FORMATS)}")
