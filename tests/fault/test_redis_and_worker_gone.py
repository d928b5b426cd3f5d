"""Redis and the worker are gone, and nobody starts them again: labelling goes on as fast as before."""

import http.cookiejar
import os
import re
import signal
import statistics
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import people
from tests.e2e.site import Site, wait_for
from tests.fault.filling import in_site
from tests.fault.programs import Program

pytestmark = [pytest.mark.fault, pytest.mark.alone]
SLUG = "alone"
SAVES = 60
PAGE_WITHIN_SECONDS = 3.0
PARTS = ("redis-server", "celery")
PAGES = ("/", f"/campaigns/{SLUG}/label/", f"/campaigns/{SLUG}/labels/", "/account/")


@contextmanager
def without_redis_and_worker(site: Site) -> Iterator[None]:
    """Kill both inside the block, with the supervisor held so that nobody starts them again."""
    os.kill(site.process.pid, signal.SIGSTOP)
    try:
        for part in PARTS:
            for process in site.part(part):
                os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda: not any(site.part(part) for part in PARTS), "both to be gone", site)
        yield
    finally:
        os.kill(site.process.pid, signal.SIGCONT)
    wait_for(lambda: all(site.part(part) for part in PARTS), "both to be started again", site)


class Visitor:
    """A person with a browser that keeps cookies and runs no script."""

    def __init__(self, site: Site, email: str) -> None:
        self._site, self._email = site, email
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._browser = urllib.request.build_opener(jar)

    def open(self, path: str, fields: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Open a page or send a form; return the status, the address where it ended, and the page."""
        data = urllib.parse.urlencode(fields).encode() if fields else None
        asked = urllib.request.Request(f"{self._site.url}{path}", data, {"Referer": self._site.url})  # noqa: S310
        began = time.monotonic()
        try:
            with self._browser.open(asked, timeout=30) as answer:
                found = answer.status, answer.url, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                found = refused.code, refused.url, refused.read().decode()
        assert time.monotonic() - began < PAGE_WITHIN_SECONDS, f"{path} was slow"
        return found

    def sign_in(self) -> None:
        _, _, page = self.open("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        fields = {"login": self._email, "password": people.PASSWORD, "csrfmiddlewaretoken": token[1]}
        status, url, _ = self.open("/accounts/login/", fields)
        assert (status, urllib.parse.urlparse(url).path) == (200, "/")

    def statuses(self) -> dict[str, int]:
        """Open every page; a sign-in page in place of one asked for counts as 401."""
        found = {path: self.open(path) for path in PAGES}
        return {path: 401 if "/accounts/" in url else status for path, (status, url, _) in found.items()}


def saves(program: Program) -> list[float]:
    """Label some samples; return the seconds that each save took."""
    program.save_seconds.clear()
    program.work(SAVES)
    return list(program.save_seconds)


def test_saves_and_pages_go_on_at_their_speed(own_site: Site) -> None:
    filled = in_site(own_site, "fill", SLUG, "2", str(3 * SAVES))
    first, second = filled["people"]
    program = Program(own_site.port, SLUG, filled["guideline"], first["token"], "alone")
    signed_in, newcomer = Visitor(own_site, first["email"]), Visitor(own_site, second["email"])
    signed_in.sign_in()
    assert set(signed_in.statuses().values()) == {200}
    saves(program)  # warms the workers up
    before = saves(program)
    with without_redis_and_worker(own_site):
        after = saves(program)
        kept = signed_in.statuses()
        newcomer.sign_in()
        found = newcomer.statuses()
    program.hang_up()
    print(
        f"\nmedian save {statistics.median(before) * 1000:.1f} ms with Redis and worker, "
        f"{statistics.median(after) * 1000:.1f} ms without; slowest {max(after) * 1000:.0f} ms"
    )
    assert program.failures == 0
    assert set(kept.values()) == {200}, "the session was lost with Redis"
    assert set(found.values()) == {200}
    assert statistics.median(after) <= 2 * statistics.median(before)
    assert max(after) < PAGE_WITHIN_SECONDS
    stored = in_site(own_site, "read_back", SLUG)
    assert {row["key"] for row in stored["labels"]} == {label.body["key"] for label in program.sent}
    own_site.manage("verify_audit_chain")
