"""A label that replaces an undone one names the undo of the very label it supersedes; the maker undid it."""

from django.db import migrations

FORWARD = """
ALTER TABLE annotation_labelundo
    ADD CONSTRAINT labelundo_identity UNIQUE (id, label_id);
ALTER TABLE annotation_label
    ADD CONSTRAINT label_replaces_what_was_undone
    FOREIGN KEY (replaces_undone_id, supersedes_id)
    REFERENCES annotation_labelundo (id, label_id);
ALTER TABLE annotation_label
    ADD CONSTRAINT label_and_maker UNIQUE (id, annotator_id);
ALTER TABLE annotation_labelundo
    ADD CONSTRAINT labelundo_by_its_maker
    FOREIGN KEY (label_id, annotator_id)
    REFERENCES annotation_label (id, annotator_id);
"""
BACKWARD = """
ALTER TABLE annotation_labelundo DROP CONSTRAINT labelundo_by_its_maker;
ALTER TABLE annotation_label
    DROP CONSTRAINT label_and_maker,
    DROP CONSTRAINT label_replaces_what_was_undone;
ALTER TABLE annotation_labelundo DROP CONSTRAINT labelundo_identity;
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0003_labelling_loop")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
