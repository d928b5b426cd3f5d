"""Campaigns, what is asked, who answers, and the answers."""

from annotation.models.assignment import Assignment, AssignmentState, Purpose
from annotation.models.campaign import Campaign, CampaignMember, CampaignState
from annotation.models.intake import SampleIntake
from annotation.models.label import Label
from annotation.models.sample import Sample
from annotation.models.scheme import GuidelineVersion, SchemeVersion

__all__ = [
    "Assignment",
    "AssignmentState",
    "Campaign",
    "CampaignMember",
    "CampaignState",
    "GuidelineVersion",
    "Label",
    "Purpose",
    "Sample",
    "SampleIntake",
    "SchemeVersion",
]
