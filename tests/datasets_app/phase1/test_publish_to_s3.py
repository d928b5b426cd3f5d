"""A run that publishes to S3 with IAM: verified from there, gone on with after the server failed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from datasets_app.phase1.plan import load_plan
from datasets_app.publishing import ATTEMPTS
from tests.datasets_app.storage.s3 import BUCKET, REGION, S3Server, running_s3

from .making import run, statuses, write_plan, write_sources

ADDRESS = f"s3://{BUCKET}/final_dataset"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with running_s3() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret)
        yield server


def test_it_is_published_and_verified_from_s3(tmp_path: Path, s3: S3Server) -> None:
    write_sources(tmp_path / "sources")
    plan = load_plan(write_plan(tmp_path / "plan.yaml"), sources=tmp_path / "sources", target=ADDRESS)
    s3.puts_to_corrupt = ATTEMPTS
    stopped = run(plan, tmp_path / "workspace")
    assert stopped["publish"].status == "failed"
    assert f"{ADDRESS} gave back another" in stopped["publish"].problem
    s3.puts_to_corrupt = 1
    states = run(plan, tmp_path / "workspace")
    assert statuses(states)["verify"] == "unchanged"
    assert (statuses(states)["publish"], len(states["publish"].gates)) == ("done", 8)
    assert {said for _gate, said in states["publish"].gates} == {"met"}  # of what stands on S3
    assert s3.puts[-1] == "manifest.json"
    again = run(plan, tmp_path / "workspace")
    assert set(statuses(again).values()) == {"unchanged"}
