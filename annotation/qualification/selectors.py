"""Read where people stand on the way to a campaign's samples."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from annotation.learning.selectors import progress_of
from annotation.models import (
    DONE_STATES,
    OPEN_STATES,
    Campaign,
    CampaignMember,
    DocumentKind,
    Licence,
    Outcome,
    Purpose,
    QualificationDecision,
)
from annotation.qualification.facts import checked_licences, latest_decisions, unsigned_by
from annotation.qualification.gate import ADMITTED, BEFORE_ANY_TEXT, days_left, warns_of_end
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role


@dataclass(frozen=True)
class Step:
    """One thing on the way to the samples, whether it is done, and where it is done."""

    title: str
    words: str
    is_done: bool
    url: str = ""
    link: str = ""


@dataclass(frozen=True)
class LicenceWarning:
    """A checked licence that ends soon or has ended."""

    licence: Licence
    days_left: int

    @property
    def has_ended(self) -> bool:
        return self.licence.ends_at <= timezone.now()


@dataclass(frozen=True)
class Standing:
    """A person's way to the samples of one campaign."""

    member: CampaignMember
    decision: QualificationDecision | None
    licence: Licence | None
    reported: Licence | None  # told by the clinician since, and not checked yet
    steps: Sequence[Step]
    is_let_through: bool
    has_calibrated: bool

    @property
    def has_samples(self) -> bool:
        """Whether samples may wait: who only calibrates, and has, hears from the lead first."""
        calibrates = self.decision is not None and self.decision.outcome == Outcome.CALIBRATE
        return self.is_let_through and not (calibrates and self.has_calibrated)

    @property
    def licence_ends(self) -> str:
        """Say whether the licence has ended or ends soon; nothing while it holds for long."""
        if self.licence is None:
            return ""
        now = timezone.now()
        if self.licence.ends_at <= now:
            return "ended"
        return "ends soon" if warns_of_end(self.licence.ends_at, now) else ""

    @property
    def is_complete(self) -> bool:
        return all(step.is_done for step in self.steps)

    @property
    def reads(self) -> str:
        """Say in a word or two where the person stands."""
        if self.decision is None:
            return "Not invited yet"
        outcome = self.decision.get_outcome_display()
        if self.decision.outcome in ADMITTED and not self.is_let_through:
            return f"{outcome}, paused"
        return str(outcome)


def standing_of(campaign: Campaign, member: CampaignMember, *, is_own: bool = False) -> Standing:
    """Return where the person stands; the steps are in the order in which they come.

    Only the person's own page counts calibration samples: the count would tell a lead of passes.
    """
    person = member.user
    decision = latest_decisions(campaign, [person.pk]).get(person.pk)
    licence = checked_licences([person.pk]).get(person.pk)
    calibration = _calibration(campaign, person, is_own=is_own)
    steps = [
        _documents(person),
        *calibration,
        _licence(licence),
        _training(person),
        _decision(decision),
    ]
    through = campaign.admissions.in_force().filter(clinician=person).exists()
    return Standing(
        member=member,
        decision=decision,
        licence=licence,
        reported=_reported(person, licence),
        steps=steps,
        is_let_through=through,
        has_calibrated=bool(calibration) and all(step.is_done for step in calibration),
    )


def first_steps(person: User) -> list[Step]:
    """Return what a person can do before taking part in any campaign: documents and training."""
    return [_documents(person), _training(person)]


def standings(campaign: Campaign) -> list[Standing]:
    """Return where every annotator of the campaign stands, by name."""
    members = campaign.members.filter(
        left_at__isnull=True,
        user__role_grants__role=Role.ANNOTATOR,
        user__role_grants__revoked_at__isnull=True,
    )
    people = members.select_related("user").distinct().order_by("user__display_name", "user__code")
    return [standing_of(campaign, member) for member in people]


def missing_for(campaign: Campaign, clinician: User) -> list[Step]:
    """Return what stands between the person and the next sample; nothing where the gate is open."""
    if not campaign.requires_qualification:
        return []
    admission = campaign.admissions.in_force().filter(clinician=clinician).first()
    if admission is not None and admission.covers_all:
        return []
    if admission is not None and not all(
        step.is_done for step in _calibration(campaign, clinician, is_own=True)
    ):
        return []
    member = campaign.members.select_related("user").get(user=clinician, left_at__isnull=True)
    found = standing_of(campaign, member, is_own=True)
    if admission is None and found.decision is not None and found.decision.outcome == Outcome.CALIBRATE:
        return [found.steps[0]]
    return [step for step in found.steps if not step.is_done]


def licence_warning(clinician: User) -> LicenceWarning | None:
    """Return the person's licence when it ends within a month or has ended."""
    licence, now = checked_licences([clinician.pk]).get(clinician.pk), timezone.now()
    if licence is None or not (licence.ends_at <= now or warns_of_end(licence.ends_at, now)):
        return None
    return LicenceWarning(licence, days_left(licence.ends_at, now))


def decisions_on(campaign: Campaign, clinician: User) -> list[QualificationDecision]:
    """Return every decision on the person in the campaign, newest first, reasons ready to be opened."""
    made = QualificationDecision.objects.filter(campaign=campaign, clinician=clinician)
    return list(made.select_related("because__data_key", "decided_by").order_by("-place"))


def _documents(person: User) -> Step:
    unsigned = unsigned_by([person.pk])[person.pk]
    first = " before any sample is shown" if unsigned & BEFORE_ANY_TEXT else ""
    return Step(
        "Documents",
        f"To sign{first}: {_kinds(unsigned)}." if unsigned else "All signed in their newest version.",
        not unsigned,
        reverse("annotation:documents"),
        "Read and sign",
    )


def _kinds(unsigned: Collection[str]) -> str:
    return ", ".join(kind.label.lower() for kind in DocumentKind if kind in unsigned)


def _calibration(campaign: Campaign, person: User, *, is_own: bool) -> list[Step]:
    """Return the calibration, where the campaign has one. A sample passed is as done as one labelled."""
    slots = campaign.assignments.filter(annotator=person, purpose=Purpose.CALIBRATION)
    done = slots.filter(state__in=DONE_STATES).count()
    waiting = slots.filter(state__in=OPEN_STATES).count()
    if not campaign.calibration_samples and not done + waiting:
        return []
    is_done = bool(done) and not waiting
    if is_own and done + waiting:
        words = f"{done} of {done + waiting} samples labelled or passed."
    elif is_done:
        words = "Finished."
    else:
        has_begun = done or slots.filter(first_shown_at__isnull=False).exists()
        words = "In progress." if has_begun else "Not begun."
    url = reverse("annotation:workbench", args=[campaign.slug])
    return [Step("Calibration", words, is_done, url, "Label")]


def _licence(licence: Licence | None) -> Step:
    if licence is None:
        return Step("Licence", "Nobody has checked it yet.", False)
    last = f"{licence.expires_on:%-d %B %Y} ({licence.time_zone})"
    if licence.ends_at <= timezone.now():
        return Step(
            "Licence", f"It ran out on {last}. No new sample comes before a renewed one is checked.", False
        )
    return Step("Licence", f"Checked; its last day is {last}.", True)


def _training(person: User) -> Step:
    progress = progress_of(person)
    done = sum(one.completed_at is not None for one in progress)
    words = f"{done} of {len(progress)} modules completed."
    return Step("Training", words, done == len(progress), reverse("annotation:training"), "Go on")


def _decision(decision: QualificationDecision | None) -> Step:
    if decision is None:
        return Step("Decision", "The lead has not decided yet.", False)
    words = {
        Outcome.CALIBRATE: "Invited to label the calibration samples. The lead decides after that.",
        Outcome.PROVISIONAL: "Qualified provisionally, until the calibration answers are settled.",
        Outcome.QUALIFIED: "Qualified.",
        Outcome.REFUSED: "Not to go on. The lead has the reasons.",
    }[Outcome(decision.outcome)]
    return Step("Decision", words, decision.outcome in ADMITTED)


def _reported(person: User, checked: Licence | None) -> Licence | None:
    told = Licence.objects.filter(clinician=person, is_checked=False).order_by("-recorded_at").first()
    if told is None or (checked is not None and told.recorded_at <= checked.recorded_at):
        return None
    since: Licence = told
    return since
