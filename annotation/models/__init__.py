"""Campaigns, what is asked, who answers, and the answers."""

from annotation.models.agreements import DocumentKind, DocumentVersion, Signature
from annotation.models.assignment import (
    DONE_STATES,
    OPEN_STATES,
    QUEUED_STATES,
    Assignment,
    AssignmentState,
    Purpose,
)
from annotation.models.campaign import Campaign, CampaignMember, CampaignState, LabelsOpened
from annotation.models.care import CareLimits, CheckIn, Exposure, ExposureCause, SupportContacts, TopicOptOut
from annotation.models.checkpoint import (
    CheckpointReport,
    DeclaredLook,
    EndRequest,
    LookDeclaration,
    ReportSignature,
)
from annotation.models.danger import CostMatrix, DangerAnswer, DangerCase
from annotation.models.intake import SampleIntake
from annotation.models.label import Label, LabelLock, LabelUndo, LockCause
from annotation.models.learning import ModuleAttempt
from annotation.models.pay import (
    Activity,
    Heartbeat,
    PaidRole,
    PayCorrection,
    PayRate,
    PayStatement,
    PayTerms,
)
from annotation.models.plan import PlanRevision
from annotation.models.qualification import (
    Admission,
    CalibrationGold,
    Licence,
    Outcome,
    QualificationDecision,
)
from annotation.models.recruitment import (
    Application,
    ApplicationEvent,
    ApplicationLink,
    CurriculumVitae,
    MailKind,
    MailState,
    OutgoingMail,
    Recruitment,
)
from annotation.models.rights import LabelWithdrawal, WithdrawnLabel
from annotation.models.sample import DesignRole, Sample
from annotation.models.scheme import GuidelineVersion, SchemeVersion
from annotation.models.screening import QuestionBankVersion, QuizAnswer, QuizAttempt
from annotation.models.selection import PickReason, SamplePick, SampleSelection
from annotation.models.selection_run import SelectionRun, SelectionStep
from annotation.models.sitting import Sitting
from annotation.models.unlabelled import Draft, FlagKind, Pass, SampleFlag

__all__ = [
    "DONE_STATES",
    "OPEN_STATES",
    "QUEUED_STATES",
    "Activity",
    "Admission",
    "Application",
    "ApplicationEvent",
    "ApplicationLink",
    "Assignment",
    "AssignmentState",
    "CalibrationGold",
    "Campaign",
    "CampaignMember",
    "CampaignState",
    "CareLimits",
    "CheckIn",
    "CheckpointReport",
    "CostMatrix",
    "CurriculumVitae",
    "DangerAnswer",
    "DangerCase",
    "DeclaredLook",
    "DesignRole",
    "DocumentKind",
    "DocumentVersion",
    "Draft",
    "EndRequest",
    "Exposure",
    "ExposureCause",
    "FlagKind",
    "GuidelineVersion",
    "Heartbeat",
    "Label",
    "LabelLock",
    "LabelUndo",
    "LabelWithdrawal",
    "LabelsOpened",
    "Licence",
    "LockCause",
    "LookDeclaration",
    "MailKind",
    "MailState",
    "ModuleAttempt",
    "Outcome",
    "OutgoingMail",
    "PaidRole",
    "Pass",
    "PayCorrection",
    "PayRate",
    "PayStatement",
    "PayTerms",
    "PickReason",
    "PlanRevision",
    "Purpose",
    "QualificationDecision",
    "QuestionBankVersion",
    "QuizAnswer",
    "QuizAttempt",
    "Recruitment",
    "ReportSignature",
    "Sample",
    "SampleFlag",
    "SampleIntake",
    "SamplePick",
    "SampleSelection",
    "SchemeVersion",
    "SelectionRun",
    "SelectionStep",
    "Signature",
    "Sitting",
    "SupportContacts",
    "TopicOptOut",
    "WithdrawnLabel",
]
