"""The installation's folder: where it lies, what is made in it, and when it is refused."""

import hashlib
import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from prometheus_site.embedded import keys
from prometheus_site.embedded.account import server_account
from prometheus_site.embedded.home import Home, HomeError
from tests.prometheus_site.embedded.marks import needs_root


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_HOME", str(folder / "elsewhere"))
    assert Home.default().path == folder / "elsewhere"


def test_ordinary_user_keeps_it_in_the_project(monkeypatch: pytest.MonkeyPatch, ordinary_user: None) -> None:
    monkeypatch.delenv("PROMETHEUS_HOME", raising=False)
    assert Home.default(Path("/srv/site")).path == Path("/srv/site/.prometheus")


@needs_root
def test_root_keeps_one_per_project_under_var_lib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_HOME", raising=False)
    digest = hashlib.sha256(b"/srv/site").hexdigest()[:8]
    assert Home.default(Path("/srv/site")).path == Path(f"/var/lib/prometheus/site-{digest}")
    assert Home.default(Path("/opt/site")).path != Home.default(Path("/srv/site")).path


def test_secrets_are_usable_and_for_their_owner_only(home: Home) -> None:
    assert _mode(home.keys) == 0o700
    assert {path.name for path in home.keys.iterdir()} == set(keys.MAKERS)
    assert {_mode(path) for path in home.keys.iterdir()} == {0o600}
    Fernet(home.read_secret(keys.MASTER_KEYS))
    signing_key = load_pem_private_key((home.keys / keys.SIGNING_KEY).read_bytes(), password=None)
    assert isinstance(signing_key, Ed25519PrivateKey)
    passwords = {home.read_secret(name) for name in keys.MAKERS if name.endswith(".password")}
    assert len(passwords) == 3
    assert all(len(password) >= 40 for password in passwords)


def test_second_start_keeps_every_secret(home: Home) -> None:
    (home.keys / keys.MASTER_KEYS).write_text("newest\noldest\n")
    (home.keys / keys.APP_PASSWORD).unlink()
    before = {path.name: path.read_bytes() for path in home.keys.iterdir()}
    home.ensure()
    after = {path.name: path.read_bytes() for path in home.keys.iterdir()}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {keys.APP_PASSWORD}


def test_secret_is_empty_before_the_first_start(folder: Path) -> None:
    assert Home(folder / "new").read_secret(keys.SECRET_KEY) == ""


def test_secret_of_another_user_is_refused_with_a_remedy(home: Home, request: pytest.FixtureRequest) -> None:
    home.keys.chmod(0o000)
    request.getfixturevalue("ordinary_user")
    with pytest.raises(HomeError, match=r"cannot be read: Permission denied\. Run this command as the user"):
        home.read_secret(keys.SECRET_KEY)


def test_loosened_folder_is_tightened_again(home: Home) -> None:
    home.keys.chmod(0o755)
    home.ensure()
    assert _mode(home.keys) == 0o700


def test_folder_that_was_there_keeps_its_mode(folder: Path) -> None:
    folder.chmod(0o755)
    Home(folder).ensure()
    assert _mode(folder) == 0o755


def test_unwritable_folder_is_named_with_a_remedy(folder: Path, request: pytest.FixtureRequest) -> None:
    shut = folder / "shut"
    shut.mkdir(mode=0o555)
    request.getfixturevalue("ordinary_user")
    with pytest.raises(HomeError, match=r"Permission denied \(.*shut/home\)\. Make that folder writable"):
        Home(shut / "home").ensure()


def test_file_in_the_way_is_named(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(HomeError, match="set PROMETHEUS_HOME to another folder"):
        Home(folder / "file" / "home").ensure()


def test_long_path_keeps_its_sockets_elsewhere(folder: Path) -> None:
    long = Home(folder / ("x" * 90))
    long.ensure()
    try:
        assert str(long.sockets).startswith(f"/tmp/prometheus-{os.geteuid()}-")  # noqa: S108
        assert _mode(long.sockets) == 0o700
        assert len(os.fsencode(long.sockets / ".s.PGSQL.5432")) <= 100
        assert Home(folder / ("y" * 90)).sockets != long.sockets
    finally:
        long.sockets.rmdir()


@needs_root
def test_socket_folder_of_a_stranger_is_refused(folder: Path) -> None:
    long = Home(folder / ("x" * 90))
    long.sockets.mkdir()
    try:
        os.chown(long.sockets, 12345, 12345)
        with pytest.raises(HomeError, match="belongs to another user"):
            long.ensure()
    finally:
        long.sockets.rmdir()


def test_socket_folder_that_is_a_link_is_refused(folder: Path) -> None:
    long = Home(folder / ("x" * 90))
    long.sockets.symlink_to(folder)
    try:
        with pytest.raises(HomeError, match="belongs to another user"):
            long.ensure()
    finally:
        long.sockets.unlink()


@needs_root
def test_folder_the_servers_cannot_enter_is_named(folder: Path) -> None:
    account = server_account()
    assert account is not None
    private = folder / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(HomeError, match=f"'{account.name}'.* cannot enter .*private/home"):
        Home(private / "home").ensure()
    assert _mode(private) == 0o700
