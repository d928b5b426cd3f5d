"""The stages of an application and the moves that are allowed between them."""

from enum import StrEnum


class Stage(StrEnum):
    STARTED = "started"
    UNCONFIRMED = "unconfirmed"
    APPLIED = "applied"
    SCREENING = "screening"
    CALIBRATION = "calibration"
    LICENCE_CHECKED = "licence_checked"
    OFFERED = "offered"
    AGREEMENTS = "agreements"
    TRAINING = "training"
    QUALIFIED = "qualified"
    ACTIVE = "active"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    PAUSED = "paused"
    LEFT = "left"

    @property
    def label(self) -> str:
        return TITLES[self]


TITLES = {
    Stage.STARTED: "Not sent yet",
    Stage.UNCONFIRMED: "Address not confirmed",
    Stage.APPLIED: "Applied",
    Stage.SCREENING: "Screening quiz",
    Stage.CALIBRATION: "Calibration",
    Stage.LICENCE_CHECKED: "Licence checked",
    Stage.OFFERED: "Offered",
    Stage.AGREEMENTS: "Agreements",
    Stage.TRAINING: "Training",
    Stage.QUALIFIED: "Qualified",
    Stage.ACTIVE: "Active",
    Stage.DECLINED: "Declined",
    Stage.WITHDRAWN: "Withdrawn",
    Stage.PAUSED: "Paused",
    Stage.LEFT: "Left",
}
CHOICES = [(stage.value, title) for stage, title in TITLES.items()]
# One step at a time: nobody becomes active past a check.
WAY = (
    Stage.APPLIED,
    Stage.SCREENING,
    Stage.CALIBRATION,
    Stage.LICENCE_CHECKED,
    Stage.OFFERED,
    Stage.AGREEMENTS,
    Stage.TRAINING,
    Stage.QUALIFIED,
    Stage.ACTIVE,
)
# What only a decision on the person's qualification says, where the campaign requires one.
BY_DECISION = (Stage.QUALIFIED, Stage.ACTIVE)
BEFORE_THE_WAY = (Stage.STARTED, Stage.UNCONFIRMED)
ASIDE = (Stage.DECLINED, Stage.WITHDRAWN, Stage.PAUSED, Stage.LEFT)
# The same person may apply anew once an application has ended like this.
ENDED = (Stage.DECLINED, Stage.WITHDRAWN, Stage.LEFT)


def moves_from(stage: Stage, came_from: Stage | None = None) -> tuple[Stage, ...]:
    """Return where an application may go next; ``came_from`` is where one that stands aside was before."""
    if stage in ASIDE:
        return _moves_from_aside(stage, came_from)
    if stage == Stage.STARTED:
        return (Stage.UNCONFIRMED,)
    if stage == Stage.UNCONFIRMED:
        return (Stage.APPLIED, Stage.DECLINED, Stage.WITHDRAWN)
    place = WAY.index(stage)
    ends = (Stage.LEFT,) if stage == Stage.ACTIVE else (Stage.DECLINED, Stage.WITHDRAWN)
    return (*WAY[place + 1 : place + 2], Stage.PAUSED, *ends)


def _moves_from_aside(stage: Stage, came_from: Stage | None) -> tuple[Stage, ...]:
    """Return to where it was; one that only pauses may also end."""
    back = (came_from,) if came_from is not None else ()
    if stage != Stage.PAUSED:
        return back
    ends = (Stage.LEFT,) if came_from == Stage.ACTIVE else (Stage.DECLINED, Stage.WITHDRAWN)
    return (*back, *ends)
