"""A backup is one moment of the database, whole or not there, and a drill proves that it can be restored."""

import io
import json
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from annotation.labelling.services import clinician_scope
from annotation.models import Campaign, Label
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.services import anchor_heads
from prometheus_site.core import backup, keyring, sealing
from prometheus_site.core.models import DataKey, SealedText
from prometheus_site.embedded import keys
from prometheus_site.embedded.postgres import SUPERUSER
from prometheus_site.management.commands.backup import enclose_anchors
from tests import people, servers
from tests.annotation.worlds import label, make_campaign
from tests.prometheus_site.core.filled import fill
from tests.prometheus_site.embedded.waiting import wait_until

SECRET_FILES = (
    keys.POSTGRES_PASSWORD,
    keys.OWNER_PASSWORD,
    keys.APP_PASSWORD,
    keys.MASTER_KEYS,
    keys.SECRET_KEY,
)


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def filled_database(
    template_database: str, django_db_blocker: DjangoDbBlocker, site_folder: Path
) -> Iterator[str]:
    """A database with a row in every append-only table, and its copy of the anchors."""
    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock():
        patched.setattr(site, "ANCHOR_LOG", site_folder / "anchors.jsonl")
        with servers.cloned_database(template_database) as name:
            fill()
            yield name


@pytest.fixture(scope="module")
def made(filled_database: str, site_folder: Path) -> Path:
    """A backup that every test may copy."""
    folder = site_folder / "backup"
    make(folder)
    return folder


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """A backup of the test's own, to spoil."""
    return shutil.copytree(made, tmp_path / "copied")


def make(folder: Path) -> str:
    output = io.StringIO()
    call_command("backup", to=folder, stdout=output, stderr=output)
    return output.getvalue()


def drill(folder: Path, **options: bool) -> str:
    output = io.StringIO()
    call_command("restore_drill", folder, stdout=output, **options)
    return output.getvalue()


def failed_drill(folder: Path) -> str:
    """Return everything that a drill says which must fail."""
    output = io.StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("restore_drill", folder, stdout=output, stderr=output)
    return f"{output.getvalue()}{failed.value}"


def manifest_of(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / backup.MANIFEST).read_text())
    return read


def change_manifest(folder: Path, **changes: object) -> None:
    (folder / backup.MANIFEST).write_text(json.dumps(manifest_of(folder) | changes))


def databases() -> set[str]:
    with closing(servers.owner_connection("postgres")) as postgres:
        found = postgres.execute("SELECT datname FROM pg_database WHERE datname LIKE 'restored_%'")
        return {str(row[0]) for row in found}


def test_backup_holds_what_its_manifest_says(made: Path) -> None:
    manifest = manifest_of(made)
    assert sorted(path.name for path in made.iterdir()) == ["anchors.jsonl", "database.dump", "manifest.json"]
    assert set(manifest["files"]) == {"anchors.jsonl", "database.dump"}
    for name, facts in manifest["files"].items():
        assert facts == backup.describe(made / name)
    assert manifest["rows"]["annotation_label"] == 1
    assert manifest["rows"]["accounts_rolegrantevent"] > 0
    assert manifest["facts"]["last_anchor"]["sequence"] == 1
    assert manifest["migrations"]["core"].startswith("0001")
    assert manifest["server_version"].startswith("18")
    assert manifest["master_keys"] == [keyring.fingerprint(keyring.master_keys()[0])]


def test_backup_is_for_its_owner_only(made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    for path in made.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_backup_and_drill_keep_every_secret(
    filled_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[str] = []
    real = subprocess.run

    def watched(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        commands.extend(command)
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", watched)
    before = databases()
    output = make(tmp_path / "backup") + drill(tmp_path / "backup")
    assert "2 files" in output
    assert "1 chains, 1 links, 1 anchors verified" in output
    assert f"{DataKey.objects.count()} data keys and a sample of {SealedText.objects.count()} texts" in output
    assert "The backup can be restored, and everything holds" in output
    assert databases() == before

    assert "pg_dump" in " ".join(commands)
    assert "pg_restore" in " ".join(commands)
    held = "\n".join([output, *commands]).encode()
    held += b"".join(path.read_bytes() for path in (tmp_path / "backup").iterdir())
    for name in SECRET_FILES:
        for secret in (site.HOME.keys / name).read_bytes().split():
            assert secret not in held, name
    assert (site.HOME.keys / keys.SIGNING_KEY).read_bytes().splitlines()[1] not in held
    assert b"She said this in confidence." not in held


def test_output_says_where_the_keys_lie_and_to_keep_them_apart(filled_database: str, tmp_path: Path) -> None:
    output = make(tmp_path / "backup")
    assert str(site.MASTER_KEYS_FILE) in output
    assert str(site.SIGNING_KEY_FILE) in output
    assert "are not in it: keep copies of them in another place" in output
    assert "loses every text" in output


def test_default_folder_is_named_after_the_moment(filled_database: str) -> None:
    before = set((site.HOME.path / "backups").glob("*"))
    call_command("backup", stdout=io.StringIO())
    [folder] = set((site.HOME.path / "backups").glob("*")) - before
    try:
        assert folder.name.endswith("Z")
        assert (folder / backup.MANIFEST).exists()
    finally:
        shutil.rmtree(folder)


def test_existing_folder_is_not_overwritten(made: Path) -> None:
    before = backup.describe(made / backup.DUMP)
    with pytest.raises(CommandError, match="There can be no backup in"):
        make(made)
    assert backup.describe(made / backup.DUMP) == before
    assert not list(made.parent.glob(".*.partial"))


def test_backup_that_fails_leaves_nothing(
    filled_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", "there_is_none")
    connection.close()
    with pytest.raises(CommandError, match="The database cannot be read"):
        make(tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []
    connection.close()


def test_failing_pg_dump_is_reported_and_leaves_nothing(committed_db: str, tmp_path: Path) -> None:
    with superuser(committed_db) as postgres:
        postgres.execute("CREATE TABLE anothers (id int)")
    with pytest.raises(
        CommandError, match=r"pg_dump failed with status 1: .*permission denied for table anothers"
    ):
        make(tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def superuser(database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(site.HOME.sockets),
        user=SUPERUSER,
        password=site.HOME.read_secret(keys.POSTGRES_PASSWORD),
        dbname=database,
        autocommit=True,
    )


def test_missing_copy_of_the_anchors_is_said(
    filled_database: str, settings: Settings, tmp_path: Path
) -> None:
    settings.ANCHOR_LOG = tmp_path / "gone.jsonl"
    output = make(tmp_path / "backup")
    assert "gone.jsonl is missing, so this backup has no copy of the anchors" in output
    assert "There is no copy of the anchors outside the database" in failed_drill(tmp_path / "backup")


def test_backup_during_work_is_one_moment(committed_db: str, settings: Settings, tmp_path: Path) -> None:
    """Labels and anchors are written all the time: the dump, the counts and the anchors still agree."""
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    lead = people.make("lead", Role.LEAD)
    clinicians = [people.make(f"clinician-{n}", Role.ANNOTATOR) for n in range(2)]
    campaign = make_campaign(lead, clinicians, samples=150)
    is_over = threading.Event()

    def work(clinician: User) -> None:
        try:
            for number in range(1, 151):
                if is_over.is_set():
                    return
                label(campaign, clinician, number, note=f"note {number}")
                anchor_heads()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(work, clinician) for clinician in clinicians]
        try:
            for number in range(2):
                # Both connect before as_owner() changes what new connections of this process are.
                so_far = fewest(clinicians)
                wait_until(lambda: fewest(clinicians) > so_far + 2)  # noqa: B023  asked at once
                make(tmp_path / f"backup {number}")
        finally:
            is_over.set()
        for one in working:
            one.result()
    counts = [manifest_of(tmp_path / f"backup {number}")["rows"]["annotation_label"] for number in range(2)]
    assert 5 < counts[0] < counts[1] <= Label.objects.count()
    assert "everything holds" in drill(tmp_path / "backup 0")


def test_anchors_younger_than_the_dump_stay_out(
    committed_db: str, settings: Settings, tmp_path: Path
) -> None:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    fill()

    def anchor_meanwhile() -> None:
        try:
            label(Campaign.objects.get(), Label.objects.get().annotator, 2)
            anchor_heads()
        finally:
            connection.close()

    def enclose_late() -> backup.Enclosure:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(anchor_meanwhile).result()
        return enclose_anchors()

    backup.make_backup(tmp_path / "backup", enclose_late)
    assert len(settings.ANCHOR_LOG.read_text().splitlines()) == 2
    assert len((tmp_path / "backup" / "anchors.jsonl").read_text().splitlines()) == 1
    assert "1 chains, 1 links, 1 anchors verified" in drill(tmp_path / "backup")


def fewest(clinicians: list[User]) -> int:
    return min(Label.objects.filter(annotator=clinician).count() for clinician in clinicians)


def test_kept_database_is_limited_like_the_real_one(made: Path, filled_database: str) -> None:
    output = drill(made, keep=True)
    [name] = [word.rstrip(".") for word in output.split() if word.startswith("restored_")]
    try:
        with closing(servers.owner_connection(name)) as owner:
            [row] = owner.execute(
                "SELECT has_table_privilege('prometheus_app', 'annotation_label', 'UPDATE'), "
                "has_table_privilege('prometheus_app', 'annotation_label', 'INSERT'), "
                "has_database_privilege('prometheus_app', current_database(), 'CONNECT'), "
                "has_database_privilege('public', current_database(), 'CONNECT')"
            ).fetchall()
            assert row == (False, True, True, False)
            [owned] = owner.execute(
                "SELECT count(*) FROM pg_tables "
                "WHERE schemaname = 'public' AND tableowner <> 'prometheus_owner'"
            ).fetchall()
            assert owned == (0,)
    finally:
        with closing(servers.owner_connection("postgres")) as postgres:
            postgres.execute(f"DROP DATABASE {name}".encode())
    assert connection.settings_dict["NAME"] == filled_database


def test_lost_rows_and_anchors_are_named(copied: Path) -> None:
    rows = manifest_of(copied)["rows"] | {"annotation_label": 2, "audit_gone": 1}
    change_manifest(copied, rows=rows, facts={"last_anchor": None})
    said = failed_drill(copied)
    assert "annotation_label: 1 rows, and the backup was made with 2." in said
    assert "audit_gone: 0 rows, and the backup was made with 1." in said
    assert "The last anchor is not the one that the manifest names." in said
    assert "3 faults" in said


def test_data_keys_that_do_not_open_are_counted(copied: Path, settings: Settings, tmp_path: Path) -> None:
    """The manifest claims that our key fits, and the database says otherwise."""
    settings.MASTER_KEYS_FILE = tmp_path / "master.keys"
    settings.MASTER_KEYS_FILE.write_bytes(Fernet.generate_key())
    change_manifest(copied, master_keys=[keyring.fingerprint(keyring.master_keys()[0])])
    said = failed_drill(copied)
    count = DataKey.objects.count()
    assert f"{count} of {count} data keys do not open" in said
    assert "a sample of 0 texts" in said


def test_flipped_byte_is_named(copied: Path) -> None:
    dump = copied / backup.DUMP
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(content)
    assert "database.dump: was changed since the backup was made" in failed_drill(copied)


def test_cut_file_is_named(copied: Path) -> None:
    os.truncate(copied / backup.DUMP, 1000)
    assert "database.dump: was changed since the backup was made (1000 bytes" in failed_drill(copied)


@pytest.mark.parametrize("name", ["database.dump", "anchors.jsonl"])
def test_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    assert f"{name}: cannot be read (No such file or directory)." in failed_drill(copied)


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"format": 1}', '{"format": 99}'])
def test_unreadable_manifest_is_named(copied: Path, content: str | None) -> None:
    (copied / backup.MANIFEST).unlink()
    if content is not None:
        (copied / backup.MANIFEST).write_text(content)
    said = failed_drill(copied)
    assert "manifest.json cannot be read" in said or "a backup of format 99" in said


def test_dump_that_is_none_is_reported(copied: Path) -> None:
    """Somebody recomputed the hashes as well: pg_restore still refuses, and its database is dropped."""
    before = databases()
    (copied / backup.DUMP).write_bytes(b"not a dump")
    files = {name: backup.describe(copied / name) for name in ("database.dump", "anchors.jsonl")}
    change_manifest(copied, files=files)
    assert "pg_restore failed with status 1" in failed_drill(copied)
    assert databases() == before


def test_tampered_record_is_named(committed_db: str, settings: Settings, tmp_path: Path) -> None:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    fill()
    with closing(servers.owner_connection(committed_db)) as owner:
        owner.execute("ALTER TABLE annotation_label DISABLE TRIGGER USER")
        owner.execute("UPDATE annotation_label SET active_seconds = 1")
        owner.execute("ALTER TABLE core_sealedtext DISABLE TRIGGER USER")
        owner.execute("UPDATE core_sealedtext SET ciphertext = ciphertext || '\\x00'::bytea")
    make(tmp_path / "backup")
    said = failed_drill(tmp_path / "backup")
    assert f"label {Label.objects.get().pk} is not what was recorded." in said
    n_texts = SealedText.objects.count()
    assert said.count("does not open as what was sealed.") == n_texts
    assert f"{n_texts + 1} faults" in said


def test_wrong_master_key_is_named_before_anything_is_restored(
    copied: Path, settings: Settings, tmp_path: Path
) -> None:
    [needed] = manifest_of(copied)["master_keys"]
    settings.MASTER_KEYS_FILE = tmp_path / "master.keys"
    settings.MASTER_KEYS_FILE.write_bytes(Fernet.generate_key())
    assert f"needs the master key with the fingerprint {needed}, which is not here" in failed_drill(copied)
    settings.MASTER_KEYS_FILE.unlink()
    assert "There is no master key" in failed_drill(copied)


def test_wrong_signing_key_is_named(copied: Path, settings: Settings, tmp_path: Path) -> None:
    settings.SIGNING_KEY_FILE = tmp_path / "signing.key"
    settings.SIGNING_KEY_FILE.write_bytes(keys.MAKERS[keys.SIGNING_KEY]())
    assert "anchor 1: is signed with the key" in failed_drill(copied)


def test_newer_backup_is_named(copied: Path) -> None:
    change_manifest(copied, migrations={"core": "0099_later"})
    assert "this one does not know core.0099_later" in failed_drill(copied)


def test_destroyed_keys_texts_are_no_fault(committed_db: str, settings: Settings, tmp_path: Path) -> None:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    fill()
    assert sealing.destroy_key(clinician_scope(Label.objects.get().annotator), "withdrew")
    make(tmp_path / "backup")
    output = drill(tmp_path / "backup")
    live = DataKey.objects.filter(destroyed_at=None).count()
    readable = SealedText.objects.filter(data_key__destroyed_at=None).count()
    assert f"{live} data keys and a sample of {readable} texts opened" in output
    assert "everything holds" in output
