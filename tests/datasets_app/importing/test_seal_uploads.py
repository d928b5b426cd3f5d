"""An upload is sealed piece by piece and comes back byte for byte."""

import hashlib
import os

import pytest
from cryptography.exceptions import InvalidTag
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets_app.importing.uploads import CHUNK_BYTES, open_upload
from datasets_app.models import Upload
from datasets_app.sources.records import SourceError
from prometheus_site.accounts.models import User
from tests.datasets_app.importing import files

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("size", [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES + 7])
def test_comes_back_byte_for_byte(lead: User, size: int) -> None:
    content = os.urandom(size)
    stored = files.upload(lead, content)

    assert open_upload(stored).read() == content
    assert (stored.size_bytes, stored.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert stored.chunks.count() == -(-size // CHUNK_BYTES)


def test_small_reads_see_the_same_bytes(lead: User) -> None:
    content = os.urandom(CHUNK_BYTES + 1000)
    stream = open_upload(files.upload(lead, content))

    read = b""
    while piece := stream.read(70_001):
        read += piece
        assert stream.tell() == len(read)

    assert read == content


def test_a_missing_piece_is_said_and_not_read_over(lead: User) -> None:
    stored = files.upload(lead, os.urandom(3 * CHUNK_BYTES))
    stored.chunks.get(number=2).delete()

    with pytest.raises(SourceError, match="not complete any more; upload the file again"):
        open_upload(stored).read()


def test_pieces_cannot_be_swapped(lead: User) -> None:
    stored = files.upload(lead, os.urandom(2 * CHUNK_BYTES))
    first, second = stored.chunks.order_by("number")
    first.ciphertext, second.ciphertext = second.ciphertext, first.ciphertext
    first.save()
    second.save()

    with pytest.raises(InvalidTag):
        open_upload(stored).read()


def test_nothing_of_it_lies_open(lead: User) -> None:
    files.upload(lead, files.chatml())

    assert Upload.objects.count() == 1
    assert files.tables_with(files.PHRASE) == []


def test_an_uploaded_name_is_kept(lead: User) -> None:
    stored = files.upload(lead, b"x", file=SimpleUploadedFile("sessions 2026.csv", b"x"))

    assert (stored.file_name, stored.job.file_name) == ("sessions 2026.csv", "sessions 2026.csv")
