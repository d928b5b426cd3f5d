"""The real files people have: every record is accounted for."""

import pytest

from datasets_app.importing.running import import_file
from datasets_app.importing.selectors import reject_counts
from datasets_app.models import ImportReject, ImportState, Source
from tests.real_data import real_file


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "format", "records", "rejects"),
    [
        ("annomi/AnnoMI-simple.csv", "annomi", 133, {}),
        ("counsel-chat/20200325_counsel_chat.csv", "counsel_chat", 2129, {"duplicate": 120}),
        ("esconv/FailedESConv.json", "esconv", 196, {}),
        ("psy-insight/en_data_version7.json", "psy_insight", 520, {}),
        ("hh-rlhf/test.jsonl.gz", "hh_rlhf", 2312, {"no_pair": 5, "empty_text": 4}),
    ],
)
def test_every_record_is_kept_or_rejected(
    file: str, format: str, records: int, rejects: dict[str, int]
) -> None:
    path = real_file(file)
    source = Source.objects.create(name=file)

    job = import_file(path=path, source=source, format="auto", options={})

    assert (job.state, job.problem) == (ImportState.DONE, "")
    assert (job.format, job.record_count) == (format, records)
    assert {reason.reason: reason.count for reason in reject_counts(job)} == rejects
    assert job.kept_count == records - sum(rejects.values())
    assert source.conversations.count() == job.kept_count
    assert ImportReject.objects.filter(job=job).count() == job.rejected_count
