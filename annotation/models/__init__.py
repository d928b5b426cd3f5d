"""Campaigns, what is asked, who answers, and the answers."""

from annotation.models.assignment import (
    OPEN_STATES,
    QUEUED_STATES,
    Assignment,
    AssignmentState,
    Purpose,
)
from annotation.models.campaign import Campaign, CampaignMember, CampaignState, LabelsOpened
from annotation.models.intake import SampleIntake
from annotation.models.label import Label, LabelLock, LabelUndo, LockCause
from annotation.models.plan import PlanRevision
from annotation.models.sample import DesignRole, Sample
from annotation.models.scheme import GuidelineVersion, SchemeVersion
from annotation.models.sitting import Sitting
from annotation.models.unlabelled import Draft, FlagKind, Pass, SampleFlag

__all__ = [
    "OPEN_STATES",
    "QUEUED_STATES",
    "Assignment",
    "AssignmentState",
    "Campaign",
    "CampaignMember",
    "CampaignState",
    "DesignRole",
    "Draft",
    "FlagKind",
    "GuidelineVersion",
    "Label",
    "LabelLock",
    "LabelUndo",
    "LabelsOpened",
    "LockCause",
    "Pass",
    "PlanRevision",
    "Purpose",
    "Sample",
    "SampleFlag",
    "SampleIntake",
    "SchemeVersion",
    "Sitting",
]
