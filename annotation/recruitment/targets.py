"""What a campaign's recruiting should reach, and what it has reached; nothing where nothing was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Target:
    """A figure beside its target. ``actual`` is None while nothing could be measured."""

    title: str
    actual: float | None
    unit: str
    wanted: int | None
    is_better_low: bool
    counted: str

    @property
    def is_met(self) -> bool | None:
        """Whether the figure is where it should be; None without a figure or a target."""
        if self.actual is None or self.wanted is None:
            return None
        return self.actual <= self.wanted if self.is_better_low else self.actual >= self.wanted


def applicants(count: int, wanted: int | None) -> Target:
    """Count who applied and confirmed their address. Nobody is a count too: it is measured."""
    return Target("Applicants", count, "", wanted, False, "applications with a confirmed address")


def pass_rate(passed: int, ended: int, wanted: int | None) -> Target:
    """Return the share of those who ended the quiz, by passing or by the last try, that passed."""
    share = round(100 * passed / ended) if ended else None
    counted = f"{passed} of {ended} who ended the quiz" if ended else "nobody has ended the quiz"
    return Target("Pass rate", share, " %", wanted, False, counted)


def days_to_hire(days: Sequence[float], wanted: int | None) -> Target:
    """Return the median number of days from applying to being active."""
    middle = round(median(days), 1) if days else None
    counted = f"median of {len(days)}, from applied to active" if days else "nobody is active yet"
    return Target("Days to hire", middle, "", wanted, True, counted)
