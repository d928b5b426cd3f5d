"""What stood before there were sittings: who opened labels, from the access events; and old labels lock."""

from django.db import migrations

FORWARD = """
INSERT INTO annotation_labelsopened (campaign_id, reader_id, opened_at)
SELECT opened.campaign_id, opened.actor_id, min(opened.at)
FROM (
    SELECT c.id AS campaign_id, e.actor_id, e.at
    FROM audit_accessevent e JOIN annotation_campaign c ON c.id::text = e.object_id
    WHERE e.object_type = 'campaign_labels' AND e.actor_id IS NOT NULL
    UNION ALL
    SELECT s.campaign_id, e.actor_id, e.at
    FROM audit_accessevent e JOIN annotation_sample s ON s.id::text = e.object_id
    WHERE e.object_type = 'sample_labels' AND e.actor_id IS NOT NULL
) AS opened
GROUP BY opened.campaign_id, opened.actor_id
ON CONFLICT DO NOTHING;
INSERT INTO annotation_labellock (label_id, cause)
SELECT id, 'sitting_ended' FROM annotation_label WHERE reason_id IS NULL
ON CONFLICT DO NOTHING;
"""


class Migration(migrations.Migration):
    dependencies = [("annotation", "0004_undo_identity"), ("audit", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
