"""The arguments by which a command is told which generator to ask, and how hard."""

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .answers import AnswerFile
from .asking import Asker, Limits
from .endpoint import NO_KEY, Endpoint, EndpointGenerator
from .local_model import LocalGenerator
from .port import Generator, UnusableGeneratorError
from .replay import ReplayGenerator

GENERATORS = ("grammar", "openai", "transformers", "replay")


def add_generator_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every command that asks a generator takes."""
    parser.add_argument("--generator", choices=GENERATORS, default="grammar")
    parser.add_argument("--base-url", help="openai: the endpoint's address; its key is OPENAI_API_KEY")
    parser.add_argument("--model", help="openai, transformers: the model's name or folder")
    parser.add_argument("--recorded", type=Path, metavar="FILE", help="replay: the answers of an earlier run")
    parser.add_argument(
        "--answers", type=Path, metavar="FILE", help="where answers are kept (default OUT.answers.jsonl)"
    )
    parser.add_argument("--at-once", type=int, default=4, help="requests at the same time (default 4)")
    parser.add_argument(
        "--most-tokens", type=int, help="budget over all runs with these answers; never exceeded"
    )


def generator_of(options: Mapping[str, Any], grammar: Generator | None = None) -> Generator:
    """The generator that is asked for. Raises UnusableGeneratorError or NotAnswersError."""
    kind = options["generator"]
    if kind == "grammar" and grammar:
        return grammar
    if kind == "replay":
        return ReplayGenerator(_needed(options, "recorded"))
    if kind == "transformers":
        return LocalGenerator(_needed(options, "model"))
    key = os.environ.get("OPENAI_API_KEY", NO_KEY)
    return EndpointGenerator(Endpoint(_needed(options, "base_url"), _needed(options, "model"), key))


@contextmanager
def asking(generator: Generator, options: Mapping[str, Any], out: Path) -> Iterator[Asker]:
    """Ask the generator within the limits given, keeping its answers beside what is written."""
    if options["at_once"] < 1:
        raise UnusableGeneratorError("--at-once is at least 1.")
    limits = Limits(at_once=options["at_once"], most_tokens=options["most_tokens"])
    path = options["answers"] or out.with_suffix(".answers.jsonl")
    if options["recorded"] and path.resolve() == options["recorded"].resolve():
        raise UnusableGeneratorError(
            f"{path} is what is replayed: name another file by --answers, so that it stays as it is."
        )
    with AnswerFile(path) as answers, Asker(generator, answers, limits) as asker:
        yield asker


def _needed(options: Mapping[str, Any], name: str) -> Any:
    if not options[name]:
        raise UnusableGeneratorError(f"--generator {options['generator']} needs --{name.replace('_', '-')}.")
    return options[name]
