"""Composite foreign keys: a label cannot disagree with its assignment, its campaign or what it corrects."""

from django.db import migrations

FORWARD = """
ALTER TABLE annotation_label
    ADD CONSTRAINT label_same_as_assignment
    FOREIGN KEY (assignment_id, annotator_id, sample_id, campaign_id)
    REFERENCES annotation_assignment (id, annotator_id, sample_id, campaign_id);
ALTER TABLE annotation_label
    ADD CONSTRAINT label_same_kind_as_campaign
    FOREIGN KEY (campaign_id, is_simulated)
    REFERENCES annotation_campaign (id, is_simulated);
ALTER TABLE annotation_label
    ADD CONSTRAINT label_identity UNIQUE (id, assignment_id);
ALTER TABLE annotation_label
    ADD CONSTRAINT label_corrects_same_assignment
    FOREIGN KEY (supersedes_id, assignment_id)
    REFERENCES annotation_label (id, assignment_id);
"""
BACKWARD = """
ALTER TABLE annotation_label
    DROP CONSTRAINT label_corrects_same_assignment,
    DROP CONSTRAINT label_identity,
    DROP CONSTRAINT label_same_kind_as_campaign,
    DROP CONSTRAINT label_same_as_assignment;
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
