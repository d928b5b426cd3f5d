"""The limits of care and what they allow next: state in, decision out."""

from dataclasses import dataclass
from enum import StrEnum

MINUTES_PER_DAY = 120
SEVERE_PER_DAY = 25
SEVERE_PER_SITTING = 10
BREAK_AFTER_MINUTES = 30
REST_AFTER_SEVERE_MINUTES = 10  # also what makes the next stretch of work a sitting of its own
SHORTEST_DAY_MINUTES = 10
SHORTEST_STRETCH_MINUTES = 5


class Stop(StrEnum):
    """Why nothing more, or nothing severe, comes now."""

    DAY_IS_OVER = "day_is_over"
    SEVERE_OF_DAY = "severe_of_day"
    SEVERE_OF_SITTING = "severe_of_sitting"


@dataclass(frozen=True)
class Limits:
    """What a clinician reads at most. Severe texts are counted by dose: see ``dose_of``."""

    minutes_per_day: int = MINUTES_PER_DAY
    severe_per_day: int = SEVERE_PER_DAY
    severe_per_sitting: int = SEVERE_PER_SITTING


@dataclass(frozen=True)
class Exposure:
    """What a clinician has read and done so far, over all campaigns; doses as in ``dose_of``.

    ``handed`` severe texts lie ready for the clinician and were not opened yet: they may be, any moment.
    """

    seconds_today: int = 0
    dose_today: int = 0
    dose_of_sitting: int = 0
    handed: int = 0


def dose_of(*, is_estimated_severe: bool, is_severe: bool = False, is_act_now: bool = False) -> int:
    """Return the dose of a text that was read: 2 where its reader judged act now, 1 where severe, else 0.

    What was announced as severe counts as severe however it was judged: it was read as such.
    """
    if is_act_now:
        return 2
    return 1 if is_severe or is_estimated_severe else 0


def is_day_over(limits: Limits, exposure: Exposure) -> bool:
    """Whether the clinician has worked as long as a day allows. What is on the screen may be finished."""
    return exposure.seconds_today >= limits.minutes_per_day * 60


def severe_room(limits: Limits, exposure: Exposure) -> int:
    """Return how many more severe texts may be handed out now; below zero where limits were lowered."""
    of_day = limits.severe_per_day - exposure.dose_today
    of_sitting = limits.severe_per_sitting - exposure.dose_of_sitting
    return min(of_day, of_sitting) - exposure.handed


def stop_of(limits: Limits, exposure: Exposure) -> Stop | None:
    """Return what stops the clinician now: all work, or severe texts only."""
    if is_day_over(limits, exposure):
        return Stop.DAY_IS_OVER
    if limits.severe_per_day - exposure.dose_today - exposure.handed <= 0:
        return Stop.SEVERE_OF_DAY
    if limits.severe_per_sitting - exposure.dose_of_sitting - exposure.handed <= 0:
        return Stop.SEVERE_OF_SITTING
    return None
