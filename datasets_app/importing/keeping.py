"""Conversations of a compiled dataset into rows: sealed once, found again the second time."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models.functions import Now

from datasets_app.importing.intake import build_conversation
from datasets_app.models import Conversation, ImportJob, ImportState, Source
from datasets_app.sources.records import Dialogue
from datasets_app.texts import encode_turns
from datasets_app.withdrawal import hold_source
from prometheus_site.accounts.models import User
from prometheus_site.core.models import SealedText
from prometheus_site.core.sealing import build_sealed, data_key_for, keyed_digest

DATASET_FORMAT = "dataset"
BATCH_SIZE = 500
WITHOUT_IT = "compile the dataset anew without it, which leaves the others as they are, and select from that"


def keep_from_dataset(
    *,
    source_name: str,
    license_tag: str,
    is_synthetic: bool,
    build_id: str,
    dialogues: Sequence[Dialogue],
    kept_by: User | None,
) -> tuple[ImportJob, list[Conversation]]:
    """Keep dialogues of one source of a build; the job that says so, and a conversation for each.

    Raises SourceWithdrawnError where the source was withdrawn here.
    """
    with transaction.atomic():
        named, _ = Source.objects.get_or_create(
            name=source_name,
            defaults={"license_tag": license_tag, "is_synthetic": is_synthetic, "created_by": kept_by},
        )
        source = hold_source(named.pk, WITHOUT_IT)
        job = ImportJob.objects.create(
            source=source,
            file_name=source_name,
            format=DATASET_FORMAT,
            options={"build_id": build_id},
            state=ImportState.DONE,
            record_count=len(dialogues),
            kept_count=len(dialogues),
            created_by=kept_by,
            started_at=Now(),
            finished_at=Now(),
        )
        kept: list[Conversation] = []
        for at in range(0, len(dialogues), BATCH_SIZE):
            kept += _kept(job, dialogues[at : at + BATCH_SIZE])
        return job, kept


def _kept(job: ImportJob, dialogues: Sequence[Dialogue]) -> list[Conversation]:
    data_key = data_key_for(job.source.key_scope)
    texts = [encode_turns(dialogue.turns) for dialogue in dialogues]
    digests = [keyed_digest(text, data_key) for text in texts]
    known = {
        bytes(found.content_digest): found
        for found in Conversation.objects.filter(source=job.source, content_digest__in=digests)
    }
    sealed: list[SealedText] = []
    added: list[Conversation] = []
    for dialogue, text, digest in zip(dialogues, texts, digests, strict=True):
        if digest not in known:
            sealed.append(build_sealed(text, data_key))
            added.append(build_conversation(job, dialogue, sealed[-1]))
            known[digest] = added[-1]
    SealedText.objects.bulk_create(sealed)
    Conversation.objects.bulk_create(added)
    return [known[digest] for digest in digests]
