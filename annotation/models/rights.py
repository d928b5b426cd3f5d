"""Consent taken back: labels that stay where they are and that nothing is made from any more."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from annotation.models.campaign import Campaign
from annotation.models.label import Label
from prometheus_site.core.append_only import AppendOnlyModel, append_only_triggers


class LabelWithdrawal(AppendOnlyModel):
    """A clinician took back the consent to use the own labels of a campaign.

    The event that whatever is made from labels sweeps for, and marks its own by.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="label_withdrawals")
    clinician = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    because = models.CharField(max_length=200)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(db_default=Now())

    class Meta:
        triggers = append_only_triggers()
        constraints = [
            models.CheckConstraint(condition=~models.Q(because=""), name="labelwithdrawal_for_a_reason")
        ]

    def __str__(self) -> str:
        return f"withdrawal of {self.clinician_id} in {self.campaign_id}"


class WithdrawnLabel(AppendOnlyModel):
    """This label is left out of figures, exports and the plan from the withdrawal on."""

    label = models.OneToOneField(Label, on_delete=models.PROTECT, primary_key=True, related_name="withdrawn")
    withdrawal = models.ForeignKey(LabelWithdrawal, on_delete=models.PROTECT, related_name="labels")

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"withdrawn label {self.label_id}"
