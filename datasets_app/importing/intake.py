"""Records into rows: seal what is kept, list what is turned away, in batches of bounded size."""

import re

from datasets_app.models import Conversation, ImportJob, ImportReject
from datasets_app.sources.records import Dialogue, Reject
from datasets_app.sources.windows import count_words
from datasets_app.texts import encode_turns
from prometheus_site.core.models import SealedText
from prometheus_site.core.sealing import build_sealed, data_key_for

BATCH_RECORDS = 500
BATCH_CHARACTERS = 8 * 1024 * 1024
TOPIC_CHARACTERS, TOPIC_WORDS = 40, 4
KEY = re.compile(r"[\x21-\x7e]{1,60}")  # no space and no script that writes without: no sentence fits
DUPLICATE = "duplicate"
DUPLICATE_REMEDY = "Nothing to do: this source already has the same conversation."


class Intake:
    """Takes the records of one import; `kept` and `rejected` count those that are written."""

    def __init__(self, job: ImportJob) -> None:
        self.kept = 0
        self.rejected = 0
        self._job = job
        self._data_key = data_key_for(job.source.key_scope)
        self._dialogues: list[Dialogue] = []
        self._rejects: list[Reject] = []
        self._characters = 0

    def take(self, record: Dialogue | Reject) -> None:
        """Take one record; every 500 records, or 8 million characters, they are written."""
        if isinstance(record, Reject):
            self._rejects.append(record)
        else:
            self._dialogues.append(record)
            self._characters += sum(len(turn.content) for turn in record.turns)
        waiting = len(self._dialogues) + len(self._rejects)
        if waiting >= BATCH_RECORDS or self._characters >= BATCH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        sealed = [build_sealed(encode_turns(found.turns), self._data_key) for found in self._dialogues]
        known = self._known_digests([bytes(text.digest) for text in sealed])
        rejects = [self._rejected(found) for found in self._rejects]
        texts: list[SealedText] = []
        conversations: list[Conversation] = []
        for dialogue, text in zip(self._dialogues, sealed, strict=True):
            digest = bytes(text.digest)
            if digest in known:
                rejects.append(
                    ImportReject(job=self._job, row=dialogue.row, reason=DUPLICATE, remedy=DUPLICATE_REMEDY)
                )
                continue
            known.add(digest)
            texts.append(text)
            conversations.append(build_conversation(self._job, dialogue, text))
        SealedText.objects.bulk_create(texts)
        Conversation.objects.bulk_create(conversations)
        ImportReject.objects.bulk_create(rejects)
        self.kept += len(conversations)
        self.rejected += len(rejects)
        self._dialogues, self._rejects, self._characters = [], [], 0

    def _known_digests(self, digests: list[bytes]) -> set[bytes]:
        known = Conversation.objects.filter(source=self._job.source, content_digest__in=digests)
        return {bytes(digest) for digest in known.values_list("content_digest", flat=True)}

    def _rejected(self, found: Reject) -> ImportReject:
        return ImportReject(
            job=self._job,
            row=found.row,
            reason=str(found.reason),
            field=found.field[:120],
            remedy=found.remedy[:300],
        )


def build_conversation(job: ImportJob, dialogue: Dialogue, text: SealedText) -> Conversation:
    """Return the unsaved row of a dialogue whose turns are sealed in `text`."""
    return Conversation(
        source=job.source,
        import_job=job,
        source_key=_public_key(dialogue),
        row=dialogue.row,
        text=text,
        content_digest=text.digest,
        topic=_public_topic(dialogue),
        turn_count=len(dialogue.turns),
        word_count=sum(count_words(turn.content) for turn in dialogue.turns),
        has_client_turn=any(turn.role == "user" for turn in dialogue.turns),
        has_assistant_turn=any(turn.role == "assistant" for turn in dialogue.turns),
    )


def _public_key(dialogue: Dialogue) -> str:
    """Return the source's own key when it is 1 to 60 visible ASCII characters without a space, else the row.

    Keys are stored in clear, and a column of texts may have been mapped as the key by mistake.
    """
    return dialogue.source_key if KEY.fullmatch(dialogue.source_key) else f"row {dialogue.row}"


def _public_topic(dialogue: Dialogue) -> str:
    """Return the topic when it has up to 40 characters and 4 words, else nothing: it is stored in clear."""
    topic = dialogue.meta.get("topic", "")
    is_short = len(topic) <= TOPIC_CHARACTERS and count_words(topic) <= TOPIC_WORDS
    return topic if is_short else ""
