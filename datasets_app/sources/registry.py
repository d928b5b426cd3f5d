"""The formats by name, and the way from a file of an unknown one to its conversations."""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from . import alpaca, annomi, chatml, counsel_chat, delimited, prompt_response, sharegpt, transcript
from .opening import TextSource, decoded_head, encoding_of, open_text
from .options import ReadOptions
from .records import Dialogue, Reject, SourceError

__all__ = ["FORMATS", "ReadOptions", "detect", "read_source"]

Reader = Callable[[TextSource, ReadOptions], Iterator[Dialogue | Reject]]
Sniffer = Callable[[str, str], bool]

FORMATS: Mapping[str, Reader] = {
    "chatml": chatml.read,
    "sharegpt": sharegpt.read,
    "alpaca": alpaca.read,
    "prompt_response": prompt_response.read,
    "annomi": annomi.read,
    "counsel_chat": counsel_chat.read,
    "delimited": delimited.read,
    "transcript": transcript.read,
}
_SNIFFERS: Mapping[str, Sniffer] = {
    "chatml": chatml.sniff,
    "sharegpt": sharegpt.sniff,
    "alpaca": alpaca.sniff,
    "prompt_response": prompt_response.sniff,
    "annomi": annomi.sniff,
    "counsel_chat": counsel_chat.sniff,
    "delimited": delimited.sniff,
    "transcript": transcript.sniff,
}


def detect(head: bytes, filename: str) -> str:
    """The format of a file by its first bytes (uncompressed) and its name.

    Raises SourceError where no format fits, or more than one, which it then names.
    """
    return _detect(decoded_head(head, encoding_of(head, None)), filename)


def read_source(
    stream: BinaryIO, *, name: str, format: str = "auto", options: ReadOptions
) -> Iterator[Dialogue | Reject]:
    """Every record of the file `name`, kept or rejected, in its order; the stream stays open.

    With `auto` a column mapping means CSV or TSV; otherwise `detect` decides. Raises SourceError, also
    after the first records, where the file as a whole cannot be read: keep nothing of it then.
    """
    if format != "auto" and format not in FORMATS:
        raise SourceError(
            name, "no reader has the format that was named", f"name one of {', '.join(FORMATS)}"
        )
    text = open_text(stream, name=name, options=options)
    if format == "auto":
        format = "delimited" if options.columns else _detect(text.head, name)
    is_empty = True
    for record in FORMATS[format](text, options):
        is_empty = False
        yield record
    if is_empty:
        raise SourceError(name, "the file holds no conversations", "choose a file with at least one")


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
