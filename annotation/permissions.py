"""The choke points of this app: every campaign, sample, assignment and label is fetched here, or 404."""

import uuid

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from annotation.models import Assignment, Campaign, CheckpointReport, Label, Sample, SelectionRun
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

# Documents and training open to applicants; samples come by the gate's query alone.
SIGNERS = (Role.APPLICANT, Role.ANNOTATOR)
LEARNERS = (Role.APPLICANT, Role.ANNOTATOR, Role.ADJUDICATOR, Role.LEAD)

# What `visible_to` says, written out: every save asks it, and the ORM takes longer than the answer.
CAMPAIGN_OF_PERSON = """
SELECT campaign.* FROM annotation_campaign AS campaign
WHERE campaign.slug = %s
  AND EXISTS (SELECT 1 FROM annotation_campaignmember AS member
              WHERE member.campaign_id = campaign.id AND member.user_id = %s AND member.left_at IS NULL)
"""


def person(request: HttpRequest, *roles: Role) -> User:
    """Return the signed-in person if they hold one of the roles; everybody else finds nothing here."""
    return holder(request.user, *roles)


def holder(user: object, *roles: Role) -> User:
    """Return the person if they hold one of the roles; everybody else finds nothing here."""
    if not isinstance(user, User) or not user.has_role(*roles):
        raise Http404
    return user


def campaign_for(user: User, slug: str) -> Campaign:
    """Return a campaign the person takes part in."""
    visible = Campaign.objects.visible_to(user).select_related("scheme", "guideline")
    # A scheme's definition and a guideline's text are long, and most pages need neither.
    return get_object_or_404(visible.defer("scheme__definition", "guideline__body"), slug=slug)


def campaign_once_for(user: User, slug: str) -> Campaign:
    """Return a campaign the person takes or once took part in: what was earned there stays to be seen."""
    once = Campaign.objects.filter(members__user=user).distinct()
    return get_object_or_404(once, slug=slug)


def campaign_row_for(user: User, slug: str) -> Campaign:
    """Return a campaign the person takes part in, without its scheme and guideline: for what runs often."""
    for campaign in Campaign.objects.raw(CAMPAIGN_OF_PERSON, [slug, user.pk]):
        return campaign
    raise Http404


def sample_for(user: User, campaign: Campaign, number: int) -> Sample:
    """Return a sample of a campaign the person takes part in, its text ready to be opened."""
    visible = Sample.objects.visible_to(user).select_related("conversation__text__data_key")
    return get_object_or_404(visible, campaign=campaign, number=number)


def checkpoint_report_for(user: User, campaign: Campaign, number: int) -> CheckpointReport:
    """Return a checkpoint report of a campaign the person takes part in."""
    visible = CheckpointReport.objects.filter(campaign__in=Campaign.objects.visible_to(user))
    found: CheckpointReport = get_object_or_404(visible, campaign=campaign, number=number)
    return found


def selection_run_for(user: User, campaign: Campaign, run_id: uuid.UUID) -> SelectionRun:
    """Return a run that selects samples for a campaign the person takes part in."""
    visible = SelectionRun.objects.filter(campaign__in=Campaign.objects.visible_to(user))
    found: SelectionRun = get_object_or_404(visible.select_related("campaign"), campaign=campaign, pk=run_id)
    return found


def assignment_for(user: User, campaign: Campaign, assignment_id: uuid.UUID) -> Assignment:
    """Return the person's own assignment whose text the gate lets through now, or that was read before."""
    readable = Assignment.objects.visible_to(user).readable_by(user)
    with_text = readable.select_related("sample__conversation__text__data_key")
    return get_object_or_404(with_text, campaign=campaign, pk=assignment_id)


def slot_for(user: User, campaign: Campaign, assignment_id: uuid.UUID) -> Assignment:
    """Return the person's own assignment, without its sample's text."""
    visible = Assignment.objects.visible_to(user).only("campaign_id", "sample_id", "annotator_id")
    return get_object_or_404(visible, campaign=campaign, pk=assignment_id)


def own_label_for(user: User, campaign: Campaign, label_id: uuid.UUID) -> Label:
    """Return a label the person gave, notes and sample ready to be opened."""
    own = Label.objects.own(user).select_related(
        "assignment", "sample__conversation__text__data_key", "note__data_key", "scheme", "guideline"
    )
    found: Label = get_object_or_404(own, campaign=campaign, pk=label_id)
    return found
