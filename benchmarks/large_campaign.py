"""Fill a campaign up to any size with rows that no clinician will meet, written by the database itself."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from annotation.models import Campaign, GuidelineVersion
from prometheus_site.accounts.models import User
from prometheus_site.core.sealing import data_key_for
from tests.servers import owner_connection

OTHERS = 100  # so many other annotators share the slots of the filling
ANSWERS = (
    '{"crisis_intensity": "0", "crisis_confidence": "4", "modality_primary": "supportive", '
    '"modality_secondary": [], "empathy_emotional_reaction": "1", "empathy_interpretation": "1", '
    '"empathy_exploration": "0", "empathy_global": "3", "reply_safety": "pass"}'
)

# Answers that differ from sample to sample, and now and then between two people.
VARIED = """ || jsonb_build_object(
    'crisis_intensity', ((filling.n * 31 + (random() < 0.15)::int) %% 6)::text,
    'modality_primary', (ARRAY['cbt', 'dbt', 'act', 'supportive', 'psychoeducation'])
        [1 + (filling.n * 17 + (random() < 0.1)::int) %% 5],
    'empathy_global', (1 + (filling.n * 13 + (random() < 0.2)::int) %% 5)::text)"""

# The texts are never opened: they only have to be there, as rows of the usual size.
FILL = """
CREATE TEMPORARY TABLE filling AS
SELECT n, gen_random_uuid() AS text_id, gen_random_uuid() AS conversation_id, gen_random_uuid() AS sample_id
FROM generate_series(1, %(count)s) AS n;
INSERT INTO core_sealedtext (id, data_key_id, ciphertext, digest)
SELECT text_id, %(data_key)s, decode(repeat('00', 600), 'hex'), decode(md5(n::text), 'hex') FROM filling;
INSERT INTO datasets_app_conversation
    (id, source_id, import_job_id, source_key, row, text_id, content_digest, turn_count, word_count,
     has_client_turn, has_assistant_turn, topic)
SELECT f.conversation_id, c.source_id, c.import_job_id, 'filling ' || %(first)s + f.n, %(first)s + f.n,
       f.text_id, decode(md5((%(first)s + f.n)::text), 'hex'), 2, 10, TRUE, TRUE, ''
FROM filling AS f CROSS JOIN (
    SELECT conversation.* FROM datasets_app_conversation AS conversation
    JOIN annotation_sample AS sample ON sample.conversation_id = conversation.id
    WHERE sample.campaign_id = %(campaign)s LIMIT 1) AS c;
INSERT INTO annotation_sample
    (id, campaign_id, conversation_id, window_start, window_stop, number, has_client_turn,
     has_assistant_turn, is_estimated_severe, sampling_weight, design_role)
SELECT sample_id, %(campaign)s, conversation_id, 0, 2, %(first)s + n, TRUE, TRUE, n %% 12 = 0, 1, 'overlap'
FROM filling;
"""
SLOTS = """
INSERT INTO annotation_assignment
    (id, campaign_id, sample_id, annotator_id, purpose, repeat_number, position, state)
SELECT gen_random_uuid(), %(campaign)s, f.sample_id, person.id, 'overlap', 0, %(last_position)s + 16 * f.n,
       %(state)s
FROM filling AS f
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM accounts_user
      WHERE email LIKE %(people)s) AS person ON f.n %% %(of)s = person.place %% %(of)s;
"""
LABELS = """
INSERT INTO annotation_label
    (id, campaign_id, assignment_id, sample_id, annotator_id, scheme_id, guideline_id, answers,
     active_seconds, is_simulated, idempotency_key, request_digest, created_at)
SELECT gen_random_uuid(), slot.campaign_id, slot.id, slot.sample_id, slot.annotator_id, %(scheme)s,
       %(guideline)s, %(answers)s::jsonb{varied}, 30, FALSE, gen_random_uuid(), md5(slot.id::text),
       %(since)s + row_number() OVER () * interval '30 seconds'
FROM annotation_assignment AS slot
JOIN filling ON filling.sample_id = slot.sample_id;
INSERT INTO annotation_labellock (label_id, cause, locked_at)
SELECT label.id, 'left_last_ten', label.created_at + interval '5 minutes' FROM annotation_label AS label
JOIN filling ON filling.sample_id = label.sample_id;
"""


def enlarge(campaign: Campaign, count: int) -> None:
    """Add so many samples, each in the queue of one of a hundred other annotators."""
    for number in range(OTHERS):
        User.objects.get_or_create(email=f"filling-{number}@example.org")
    _fill(campaign, count, state="waiting", people="filling-%@example.org", of=OTHERS)


def as_autovacuum_would() -> None:
    """Take statistics, as PostgreSQL does by itself within a minute; the application may not."""
    with owner_connection(str(connection.settings_dict["NAME"])) as owner:
        owner.execute("ANALYZE")


def add_history(campaign: Campaign, annotator: User, count: int) -> None:
    """Let the annotator have labelled so many other samples, all locked by now."""
    _fill(campaign, count, state="labelled", people=annotator.email, of=1, labels=LABELS.format(varied=""))


def add_overlap(campaign: Campaign, people: str, count: int) -> None:
    """Let everybody whose address is like ``people`` have labelled the same so many other samples."""
    _fill(campaign, count, state="labelled", people=people, of=1, labels=LABELS.format(varied=VARIED))


def _fill(campaign: Campaign, count: int, *, state: str, people: str, of: int, labels: str = "") -> None:
    guideline = GuidelineVersion.objects.get(pk=campaign.guideline_id)
    first = campaign.samples.order_by("-number").values_list("number", flat=True)[0]
    named = {
        "count": count,
        "campaign": campaign.pk,
        "data_key": data_key_for("site").pk,
        "first": first,
        "last_position": campaign.assignments.order_by("-position").values_list("position", flat=True)[0],
        "state": state,
        "people": people,
        "of": of,
        "scheme": campaign.scheme_id,
        "guideline": guideline.pk,
        "answers": ANSWERS,
        "since": timezone.now() - timedelta(days=30),
    }
    with owner_connection(str(connection.settings_dict["NAME"])) as owner:
        for statement in (FILL + SLOTS + labels).split(";\n"):
            if statement.strip():
                owner.execute(statement, named)
        owner.execute("DROP TABLE filling")
