"""How far what was done carries an application along the way, and whom it waits for. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from annotation.recruitment.stages import WAY, Stage


@dataclass(frozen=True)
class Done:
    """What has been done for one application, in whatever order it came."""

    has_passed_quiz: bool = False
    has_account: bool = False
    is_invited: bool = False  # somebody decided that the person calibrates, or more than that
    has_agreed_to_read: bool = False  # signed what comes before any text
    has_calibrated: bool = False
    is_licence_checked: bool = False  # and it has not ended
    has_accepted: bool = False  # signed the contractor terms: the offer is accepted
    has_signed_all: bool = False
    modules_left: int = 0
    qualified_as: str = ""  # as it was decided: provisional or qualified
    may_label: bool = False


@dataclass(frozen=True)
class Step:
    """A stage that an application comes to by itself, and what brought it there.

    It ``asks`` something of the applicant, or says something new: else there is nothing to write about.
    """

    to: Stage
    why: str
    asks: bool


@dataclass(frozen=True)
class Waiting:
    """What an application waits for, and whether that is the lead's to do."""

    words: str
    is_leads: bool


Brought = Callable[[Done], str]  # the reason, "" while there is none
# What brings an application to a stage from the one before. Reading it and making an offer is for people; but
# a decision that somebody is qualified says all of that.
BROUGHT_BY: dict[Stage, Brought] = {
    Stage.SCREENING: lambda done: "Invited to calibrate." if done.is_invited else "",
    Stage.CALIBRATION: lambda done: (
        "Invited to calibrate." if done.is_invited else "Passed the quiz." if done.has_passed_quiz else ""
    ),
    Stage.LICENCE_CHECKED: lambda done: (
        "Calibrated, and the licence is checked." if done.has_calibrated and done.is_licence_checked else ""
    ),
    Stage.OFFERED: lambda done: "",
    Stage.AGREEMENTS: lambda done: "The contractor terms are signed." if done.has_accepted else "",
    Stage.TRAINING: lambda done: "Every document is signed." if done.has_signed_all else "",
    Stage.QUALIFIED: lambda done: "",
}


def steps_from(stage: Stage, done: Done) -> tuple[Step, ...]:
    """Return the stages that the application goes on to now, in order; none from outside the way."""
    if stage not in WAY:
        return ()
    steps = []
    for to in WAY[WAY.index(stage) + 1 :]:
        why = _brought_by(to, done)
        if not why:
            break
        steps.append(Step(to, why, asks=to != Stage.TRAINING or done.modules_left > 0))
    return tuple(steps)


def waits_for(stage: Stage, done: Done) -> Waiting | None:
    """Return what comes next for an application at this stage; None when nothing is asked of anybody."""
    if stage == Stage.CALIBRATION:
        return _calibration_waits_for(done)
    if stage == Stage.TRAINING and done.modules_left:
        left = "1 module" if done.modules_left == 1 else f"{done.modules_left} modules"
        return Waiting(f"{left} of the training", is_leads=False)
    return {
        Stage.UNCONFIRMED: Waiting("the address to be confirmed", is_leads=False),
        Stage.APPLIED: Waiting("you to read it", is_leads=True),
        Stage.SCREENING: Waiting("the quiz", is_leads=False),
        Stage.LICENCE_CHECKED: Waiting("your offer", is_leads=True),
        Stage.OFFERED: Waiting("the contractor terms to be signed", is_leads=False),
        Stage.AGREEMENTS: Waiting("the other documents to be signed", is_leads=False),
        Stage.TRAINING: _decision(done),
        Stage.QUALIFIED: _samples(done),
    }.get(stage)


def _brought_by(to: Stage, done: Done) -> str:
    if to == Stage.ACTIVE:
        return "Samples may be handed out." if done.qualified_as and done.may_label else ""
    return BROUGHT_BY[to](done) or (f"Decided: {done.qualified_as}." if done.qualified_as else "")


def _calibration_waits_for(done: Done) -> Waiting:
    if not done.has_account:
        return Waiting("the invitation to be accepted", is_leads=False)
    if not done.is_invited:
        return Waiting("you to let them calibrate", is_leads=True)
    if not done.has_agreed_to_read:
        return Waiting("consent and confidentiality to be signed", is_leads=False)
    if not done.has_calibrated:
        return Waiting("the calibration samples", is_leads=False)
    return Waiting("you to check the licence", is_leads=True)


def _decision(done: Done) -> Waiting:
    if not done.has_signed_all:  # a new version has appeared since
        return Waiting("a document to be signed", is_leads=False)
    words = "your decision" if done.is_licence_checked else "you to check the licence"
    return Waiting(words, is_leads=True)


def _samples(done: Done) -> Waiting:
    if not done.has_signed_all:
        return Waiting("a document to be signed", is_leads=False)
    if not done.is_licence_checked:
        return Waiting("you to check the licence", is_leads=True)
    return Waiting("the campaign to open", is_leads=True)
