"""Which imports have been turned into samples: this app's own mark on what the data app did."""

from django.db import models
from django.db.models.functions import Now

from annotation.models.campaign import Campaign
from datasets_app.models import ImportJob


class SampleIntake(models.Model):
    """One finished import was cut into samples of one campaign."""

    import_job = models.OneToOneField(ImportJob, on_delete=models.PROTECT, related_name="intake")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="intakes")
    sample_count = models.PositiveIntegerField()
    taken_in_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.sample_count} samples of {self.import_job_id}"
