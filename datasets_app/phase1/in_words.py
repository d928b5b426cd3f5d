"""A step and a report as lines of text."""

from collections.abc import Iterator
from datetime import datetime

from datasets_app.phase1.report import Report
from datasets_app.phase1.state import StepState, StepStatus

NAME_WIDTH = 16
FAMILY_WIDTH = 26
SECONDS_PER_MINUTE = 60


def line_of(state: StepState, at: datetime) -> str:
    """How a step stands, in one line."""
    return f"{state.name:{NAME_WIDTH}}{state.status}{'; '.join(('', *_parts(state, at)))}"


def _parts(state: StepState, at: datetime) -> Iterator[str]:
    if state.status is StepStatus.RUNNING:
        of = f" of {state.total:,}" if state.total else ""
        yield f"{state.done:,}{of} {state.unit}"
        if rate := state.rate(at):
            yield f"{rate:,.1f}/s"
        if (left := state.seconds_left(at)) is not None:
            yield f"{duration(left)} left"
        return
    if state.counts:
        yield ", ".join(f"{name} {count:,}" for name, count in state.counts.items())
    if state.status is StepStatus.DONE and state.started_at and state.ended_at:
        rate = state.rate(at)
        said = f", {rate:,.0f} {state.unit}/s" if rate else ""
        yield f"{duration((state.ended_at - state.started_at).total_seconds())}{said}"
    if state.gates:
        holding = sum(verdict == "met" for _name, verdict in state.gates)
        yield f"{holding} of {len(state.gates)} gates hold"
    if state.problem:
        yield state.problem


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < SECONDS_PER_MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), SECONDS_PER_MINUTE)
    return f"{minutes} min {rest} s"


def report_lines(report: Report) -> Iterator[str]:
    """The report: what is short, what changed, whether the gates hold, and where it is."""
    kind = " (a rehearsal: the synthesis was scaled up)" if report.is_rehearsal else ""
    yield f"{report.conversations:,} conversations of {report.wanted:,} wanted{kind}"
    for family in report.families:
        short = f", short by {family.short:,}" if family.short else ""
        yield f"  {family.name:{FAMILY_WIDTH}}{family.there:>8,} of {family.target:>6,}{short}"
    yield f"Short in all, family by family: {report.short:,}"
    for change in report.changes:
        yield f"Since the last build: {change}"
    for gate in report.gates:
        yield f"{gate.name}: {'holds' if gate.holds else 'FAILS'}"
        yield from (f"  {finding}" for finding in gate.findings)
    yield f"Build {report.build_id}"
    yield f"Published at {report.published_at}" if report.published_at else "Not published"
