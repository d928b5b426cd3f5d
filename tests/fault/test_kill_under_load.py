"""kill -9 of web workers and PostgreSQL while programs label: the acknowledged is there, once, as sent."""

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil
import pytest

from tests.e2e.site import Site, wait_for
from tests.fault.filling import in_site
from tests.fault.programs import Crowd, Program

pytestmark = pytest.mark.fault
PROGRAMS, SAMPLES = 8, 400
SAVES = 3000
WORKER_KILLS, POSTGRES_KILLS = 32, 3
SLUG = "killed"


@dataclass
class Killer:
    """Kills in the course of the work: evenly over the saves, so that there is load at every kill."""

    site: Site
    crowd: Crowd
    workers: int = 0
    postgres: int = 0
    victims: list[int] = field(default_factory=list)

    def watch(self) -> None:
        """Kill until the work is done."""
        chance = random.Random(1)  # noqa: S311  whom it hits is no secret
        while self.crowd.is_working:
            done = self.crowd.acknowledged
            if self.workers < WORKER_KILLS and done >= (self.workers + 1) * SAVES / (WORKER_KILLS + 2):
                workers = web_workers(self.site)
                if workers:
                    self._kill(chance.choice(workers))
                    self.workers += 1
            if self.postgres < POSTGRES_KILLS and done >= (self.postgres + 0.5) * SAVES / POSTGRES_KILLS:
                postmaster = self.site.part("bin/postgres -D")
                if postmaster:
                    self._kill(postmaster[0])
                    self.postgres += 1
            time.sleep(0.02)

    def _kill(self, process: psutil.Process) -> None:
        os.kill(process.pid, signal.SIGKILL)
        self.victims.append(process.pid)


def web_workers(site: Site) -> list[psutil.Process]:
    """Return the processes that answer requests: the children of the web server's first process."""
    pages = site.part("prometheus_site.wsgi")
    numbers = {process.pid for process in pages}
    return [process for process in pages if process.ppid() in numbers]


def test_acknowledged_labels_survive_kills_under_load(own_site: Site) -> None:
    filled = in_site(own_site, "fill", SLUG, str(PROGRAMS), str(SAMPLES))
    assert filled["slots"] == PROGRAMS * SAMPLES
    crowd = Crowd(
        [
            Program(
                own_site.port,
                SLUG,
                filled["guideline"],
                person["token"],
                person["email"],
                cut_share=0.02,
                undo_share=0.02,
                pass_share=0.02,
            )
            for person in filled["people"]
        ]
    )
    killer = Killer(own_site, crowd)
    began = time.monotonic()
    crowd.start()
    killer.watch()
    took = time.monotonic() - began
    assert crowd.problems == []
    assert (killer.workers, killer.postgres) == (WORKER_KILLS, POSTGRES_KILLS)
    assert len(set(killer.victims)) == WORKER_KILLS + POSTGRES_KILLS
    wait_for(own_site.is_healthy, "the site to answer", own_site)
    _report(crowd, killer, took)
    stored = in_site(own_site, "read_back", SLUG)
    _check_labels(crowd, stored["labels"], {p["token"]: p["id"] for p in filled["people"]})
    _check_slots(crowd, stored)
    assert own_site.output.count("postgres stopped (signal 9); started again") >= POSTGRES_KILLS
    own_site.manage("verify_audit_chain")


def _check_labels(crowd: Crowd, stored: list[dict[str, object]], ids: dict[str, str]) -> None:
    """Every label sent was acknowledged in the end, and is stored once with what was sent."""
    assert crowd.acknowledged == len(crowd.labels) >= SAVES
    by_key = {row["key"]: row for row in stored}
    assert len(by_key) == len(stored)
    assert by_key.keys() == {label.body["key"] for label in crowd.labels}
    for program in crowd.programs:
        for label in program.sent:
            row = by_key[label.body["key"]]
            assert row["label"] == label.acknowledged["label"]
            assert str(row["label"]).startswith(label.acknowledged["receipt"])
            assert row["by"] == ids[program.token]
            assert row["slot"] == label.slot
            answers = row["answers"]
            assert isinstance(answers, dict)
            assert answers | label.body["answers"] == answers, "the answers were altered"
            assert row["note"] == label.body["note"]
            assert row["is_undone"] == label.is_undone


def _check_slots(crowd: Crowd, stored: dict[str, list[dict[str, object]]]) -> None:
    """No slot has two labels that stand, and each is labelled or passed by its own program only."""
    standing = Counter(str(row["slot"]) for row in stored["labels"] if not row["is_undone"])
    assert set(standing.values()) == {1}
    assert set(standing) == {str(slot) for slot in stored["labelled"]}
    assert sorted(map(str, stored["passed"])) == sorted(
        slot for program in crowd.programs for slot in program.passed
    )


def _report(crowd: Crowd, killer: Killer, took: float) -> None:
    programs = crowd.programs
    print(
        f"\n{len(crowd.labels)} saves by {len(programs)} programs in {took:.0f} s; {killer.workers} web "
        f"workers and PostgreSQL {killer.postgres} times killed; {sum(one.failures for one in programs)} "
        f"failed requests sent again, {sum(one.cuts for one in programs)} of them cut by the client; "
        f"{sum(one.replays for one in programs)} saves were stored before their answer was lost; "
        f"{sum(len(one.passed) for one in programs)} passes, "
        f"{sum(label.is_undone for label in crowd.labels)} undone"
    )
