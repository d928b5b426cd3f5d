"""Demo people in a browser: each signs in once, by password and code, and keeps the session."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.site import Site


class People:
    """Signs demo people in and hands out browser contexts with their sessions."""

    def __init__(self, site: Site, browser: Browser) -> None:
        self._site = site
        self._browser = browser
        self._sessions: dict[str, Any] = {}

    def context(self, name: str, **options: Any) -> BrowserContext:
        """Return a new context in which this person is signed in; "" is somebody who is not."""
        if name and name not in self._sessions:
            with self._browser.new_context() as context:
                sign_in(context.new_page(), self._site, name)
                self._sessions[name] = context.storage_state()
        state = self._sessions[name] if name else None
        return self._browser.new_context(storage_state=state, base_url=self._site.url, **options)


def sign_in(page: Page, site: Site, name: str) -> None:
    """Sign in as a person would: address, password, code."""
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("Email").fill(f"{name}@demo.localhost")
    page.get_by_label("Password", exact=True).fill(site.password(name))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill(site.manage("demo_code", name).strip())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site.url}/")
