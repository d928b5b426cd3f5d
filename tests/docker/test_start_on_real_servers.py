"""The container files' scripts, commands and health checks on a real PostgreSQL and Redis named by address.

No container engine is needed: the image's files lie in a folder of their own, the servers are the embedded
programs, and the commands, environments and health checks are read from compose.yaml.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from prometheus_site.core.privileges import append_only_tables, mutable_tables
from prometheus_site.embedded.home import APP_ROLE, DATABASE_NAME, OWNER_ROLE, Home
from prometheus_site.embedded.postgres import SUPERUSER, EmbeddedPostgres
from prometheus_site.embedded.redis import EmbeddedRedis
from tests.docker import files
from tests.ports import free_port
from tests.prometheus_site.embedded.waiting import wait_until

HEALTHY_WITHIN_SECONDS = 60
BEHIND_TLS = {"SITE_HOST": "labels.example.org", "PROMETHEUS_HTTPS": "true"}


class FreshPostgres(EmbeddedPostgres):
    """A server as the official image first starts it: a superuser, and no role or database of ours."""

    def _after_start(self) -> None:
        """Leave the roles to the script."""


@dataclass(frozen=True)
class Site:
    """The image's files, the secrets and the server they are used with."""

    app: Path
    secrets: Path
    server: FreshPostgres

    operator: Mapping[str, str] = field(default_factory=dict)

    @property
    def lasting(self) -> Path:
        """What the containers see as /var/lib/prometheus: the mount points of the volumes."""
        return self.secrets.parent / "lasting"

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment that compose.yaml gives the service, and nothing of this machine's."""
        named = files.environment(service, self.secrets, self.operator)
        own = {key: value.replace("/var/lib/prometheus", str(self.lasting)) for key, value in named.items()}
        nowhere = {"HOME": "/nonexistent", "PROMETHEUS_HOME": str(self.app / ".prometheus")}
        return {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", **nowhere, **own}

    def run(self, service: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command as that service would."""
        return subprocess.run(
            _with_our_python(command),
            cwd=self.app,
            env=self.environment(service),
            capture_output=True,
            text=True,
            check=False,
        )

    def connect(
        self, role: str, secret: str, database: str = DATABASE_NAME
    ) -> psycopg.Connection[tuple[object, ...]]:
        """Log in as that role with that secret."""
        return psycopg.connect(
            host=str(self.server.home.sockets),
            user=role,
            password=(self.secrets / secret).read_text(),
            dbname=database,
            autocommit=True,
        )


def _with_our_python(command: Sequence[str]) -> list[str]:
    assert command[0] == "python"
    return [sys.executable, *command[1:]]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The image's files beside a server whose roles and database the script made."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="p-"))
    folder.chmod(0o711)
    home = Home(folder / "home")
    home.ensure()
    server = FreshPostgres(home)
    made = Site(folder / "app", folder / "secrets", server)
    try:
        made.app.mkdir()
        for volume in ("anchors", "backups"):
            (made.lasting / volume).mkdir(parents=True)
        files.copy_into(made.app)
        subprocess.run([files.DOCKER / "make-secrets.sh", made.secrets], capture_output=True, check=True)
        server.start()
        done = _make_roles(made)
        assert done.returncode == 0, done.stderr
        for name in ("database_url", "database_owner_url"):
            _point_at(server, made.secrets / name)
        yield made
        # The container's root is read-only, so nothing may have written among the image's files.
        assert {path.name for path in made.app.iterdir()} == set(files.copied())
        assert not list(made.app.rglob("__pycache__"))
    finally:
        server.stop()
        shutil.rmtree(folder)


def _make_roles(site: Site, **others: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the database's image does: its variables, its superuser, its socket."""
    home = site.server.home
    return subprocess.run(
        [files.DOCKER / "postgres-init" / "10-roles.sh"],
        env={
            "PATH": f"{site.server.bin_folder}:{os.defpath}",
            "PGHOST": str(home.sockets),
            "PGPASSWORD": home.read_secret("postgres.password"),
            "POSTGRES_USER": SUPERUSER,
            **files.environment("db", site.secrets, {}),
            **others,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def _point_at(server: FreshPostgres, url: Path) -> None:
    """Name the server's socket in place of the host that only a container knows."""
    made = url.read_text()
    url.chmod(0o600)
    url.write_text(
        made.replace("@db:5432/prometheus", f"@/prometheus?host={quote(str(server.home.sockets), safe='')}")
    )
    assert url.read_text() != made


@pytest.fixture(scope="module")
def migrated(site: Site) -> Site:
    """The site after compose's one-shot migration."""
    done = site.run("migrate", files.service("migrate")["command"])
    assert done.returncode == 0, done.stderr
    return site


def test_image_collects_static_files_without_database_or_keys(tmp_path: Path) -> None:
    files.copy_into(tmp_path)
    assert any("python manage.py collectstatic --noinput" in each for each in files.final("RUN"))
    done = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput"],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": "/nonexistent", "PROMETHEUS_HOME": "/nonexistent/home"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "staticfiles" / "staticfiles.json").stat().st_size > 0


def test_roles_are_logins_without_other_powers(site: Site) -> None:
    powers = "rolcanlogin, rolcreatedb, rolsuper, rolcreaterole, rolreplication, rolbypassrls"
    with site.connect(OWNER_ROLE, "owner_password") as owner:
        rows = owner.execute(f"SELECT rolname, {powers} FROM pg_roles WHERE rolname LIKE 'prometheus%'")  # noqa: S608
        found = {name: tuple(values) for name, *values in rows}
    assert found == {
        OWNER_ROLE: (True, True, False, False, False, False),
        APP_ROLE: (True, False, False, False, False, False),
    }


def test_database_is_the_owners_and_utf8(site: Site) -> None:
    with site.connect(OWNER_ROLE, "owner_password") as owner:
        found = owner.execute(
            "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding)"
            " FROM pg_database WHERE datname = %s",
            [DATABASE_NAME],
        ).fetchone()
    assert found == (OWNER_ROLE, "UTF8")


@pytest.mark.parametrize(
    ("role", "secret", "database"),
    [
        (APP_ROLE, "app_password", "postgres"),
        (APP_ROLE, "app_password", "template1"),
        (OWNER_ROLE, "owner_password", "template1"),
    ],
)
def test_roles_stay_in_their_databases(site: Site, role: str, secret: str, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        site.connect(role, secret, database)


def test_passwords_are_those_of_the_secrets_and_kept_as_scram(site: Site) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        site.connect(APP_ROLE, "owner_password")
    superuser = psycopg.connect(
        host=str(site.server.home.sockets),
        user=SUPERUSER,
        password=site.server.home.read_secret("postgres.password"),
        dbname="postgres",
    )
    with superuser:
        kept = superuser.execute("SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'prometheus%'")
        assert all(str(row[0]).startswith("SCRAM-SHA-256$") for row in kept)
    assert (site.secrets / "app_password").read_text() not in site.server.log.read_text()


def test_missing_secret_stops_the_script_before_anything_is_made(site: Site, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for wrong in (empty, tmp_path / "absent"):
        done = _make_roles(site, APP_PASSWORD_FILE=str(wrong))
        assert done.returncode == 1
        assert f"The secret {wrong} is missing or empty" in done.stderr
        assert "ERROR" not in done.stderr, "it reached the database"


def test_application_role_gets_its_rights_and_no_more(migrated: Site) -> None:
    with migrated.connect(OWNER_ROLE, "owner_password") as owner:
        owned = owner.execute(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
    assert owned == [(OWNER_ROLE,)]
    with migrated.connect(APP_ROLE, "app_password") as app:
        tables = {
            str(name)
            for (name,) in app.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        }
        assert {"django_migrations", "annotation_label", "accounts_user"} <= tables
        for table in tables & set(append_only_tables()):
            assert _rights(app, table) == {"SELECT", "INSERT"}, table
        for table in tables & set(mutable_tables()):
            assert _rights(app, table) == {"SELECT", "INSERT", "UPDATE", "DELETE"}, table
        assert _rights(app, "django_migrations") == {"SELECT"}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE t (id int)")


def _rights(connection: psycopg.Connection[tuple[object, ...]], table: str) -> set[object]:
    held = connection.execute(
        "SELECT r FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) r"
        " WHERE has_table_privilege(quote_ident(%s), r)",
        [table],
    )
    return {right for (right,) in held}


def test_migration_at_the_next_start_changes_nothing(migrated: Site) -> None:
    done = migrated.run("migrate", files.service("migrate")["command"])
    assert done.returncode == 0, done.stderr
    assert "No migrations to apply" in done.stdout


@pytest.mark.e2e
def test_programs_without_the_owners_secret_cannot_migrate(migrated: Site) -> None:
    done = migrated.run("web", files.service("migrate")["command"])
    assert done.returncode != 0
    assert "DATABASE_OWNER_URL" in done.stderr


@pytest.mark.e2e
def test_sweeper_is_well_and_sweeps(migrated: Site) -> None:
    check = migrated.run("sweeper", files.service("sweeper")["healthcheck"]["test"][1:])
    assert check.returncode == 0, check.stderr
    once = [each for each in files.service("sweeper")["command"] if each != "--forever"]
    swept = migrated.run("sweeper", once)
    assert swept.returncode == 0, swept.stderr


@pytest.mark.e2e
def test_sweeper_is_not_well_when_it_may_change_history(migrated: Site) -> None:
    environment = migrated.environment("migrate")
    as_owner = {"DATABASE_URL_FILE": environment["DATABASE_OWNER_URL_FILE"]}
    check = subprocess.run(
        _with_our_python(files.service("sweeper")["healthcheck"]["test"][1:]),
        cwd=migrated.app,
        env=migrated.environment("sweeper") | as_owner,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode != 0
    assert "prometheus.E003" in check.stderr


@pytest.mark.e2e
def test_backup_is_made_and_passes_the_drill(migrated: Site) -> None:
    made = migrated.run("backup", files.service("backup")["command"])
    assert made.returncode == 0, made.stderr
    (folder,) = (migrated.lasting / "backups").iterdir()
    drill = migrated.run("backup", ["python", "manage.py", "restore_drill", str(folder)])
    assert drill.returncode == 0, drill.stderr
    assert "The backup can be restored" in drill.stdout


@pytest.mark.e2e
def test_first_lead_is_invited(migrated: Site) -> None:
    invite = ["python", "manage.py", "invite", "lead@example.org", "lead"]
    for operator, origin in (({}, "http://localhost:8000"), (BEHIND_TLS, "https://labels.example.org")):
        done = replace(migrated, operator=operator).run("web", invite)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{origin}/")


@pytest.mark.e2e
@pytest.mark.parametrize(("name", "operator"), [("web", {}), ("web", BEHIND_TLS), ("streams", BEHIND_TLS)])
def test_pages_answer_their_health_check(migrated: Site, name: str, operator: dict[str, str]) -> None:
    site = replace(migrated, operator=operator)
    service, published = files.service(name), files.service(name)["ports"][0].rsplit(":", 1)[1]
    port = free_port()
    command = [each.replace(f"0.0.0.0:{published}", f"127.0.0.1:{port}") for each in service["command"]]
    check = [each.replace(f", {published})", f", {port})") for each in service["healthcheck"]["test"][1:]]
    assert command != service["command"]
    assert site.run(name, check).returncode == 1
    with _running(site, name, command):
        wait_until(lambda: site.run(name, check).returncode == 0, HEALTHY_WITHIN_SECONDS)


@pytest.mark.e2e
def test_worker_answers_its_health_check(migrated: Site) -> None:
    redis, service = EmbeddedRedis(migrated.server.home), files.service("worker")
    redis.start()
    environment = migrated.environment("worker") | {
        "REDIS_URL": migrated.server.home.redis_broker_url(),
        "HOSTNAME": socket.gethostname(),
    }
    shell = service["healthcheck"]["test"][1].replace("$$", "$").replace("python", sys.executable, 1)

    def is_healthy() -> bool:
        asked = subprocess.run(
            ["sh", "-c", shell], cwd=migrated.app, env=environment, capture_output=True, check=False
        )
        return asked.returncode == 0

    try:
        with _running(migrated, "worker", service["command"], environment):
            wait_until(is_healthy, HEALTHY_WITHIN_SECONDS)
    finally:
        redis.stop()


@contextmanager
def _running(
    site: Site, service: str, command: Sequence[str], environment: dict[str, str] | None = None
) -> Iterator[None]:
    """Run a program of the site and end it politely; it has to obey."""
    with (site.secrets.parent / f"{service}.log").open("wb") as log:
        process = subprocess.Popen(
            _with_our_python(command),
            cwd=site.app,
            env=environment or site.environment(service),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=HEALTHY_WITHIN_SECONDS)
            finally:
                process.kill()
