"""A headless Chromium, and the dashboard that it shows.

Debian: `apt-get install chromium chromium-driver`. SCOPEWATCH_CHROMIUM names another browser.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from scopewatch.core.acquisition.standing import AcquisitionStanding
from scopewatch.web.access.listener import Listener
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.serve import WebServer
from scopewatch.web.server import create_app
from tests.conftest import FakeClock
from tests.unit.web.fakes import FACTS, NOW, FakeAnswers, FakeHealth, FakeReader, states_of


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def browser_log(driver: webdriver.Chrome) -> list[dict[str, object]]:
    """Return the console lines since the last call."""
    return list(driver.get_log("browser"))  # type: ignore[no-untyped-call]  # selenium's own gap


def leave(driver: webdriver.Chrome) -> None:
    """Leave a page while it is served, or it would ask for its server during the next test."""
    driver.get("about:blank")


class Page:
    """A window on the dashboard.

    Its methods are the actions of a person, so that tests read as such.
    """

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.server: WebServer | None = None
        self.acquisitions: tuple[AcquisitionStanding, ...] = ()
        self.reader = FakeReader()
        self.alerts = FakeAnswers()
        self.health = FakeHealth()

    def open(self, path: str = "/", *, width: int = 1280, dark: bool = False) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        assert self.server is not None
        self.driver.get(self.server.url.rstrip("/") + path)

    def js(self, script: str) -> object:
        return self.driver.execute_script(script)

    def refresh(self) -> None:
        """Refresh the page, as it does by itself every few seconds."""
        self.js("document.dispatchEvent(new Event('visibilitychange'))")

    def text(self) -> str:
        return str(self.js("return document.body.innerText"))

    def loaded(self) -> list[str]:
        """Return the addresses from which the page has loaded something."""
        found = self.js("return performance.getEntriesByType('resource').map((e) => e.name)")
        assert isinstance(found, list)
        return found

    def complaints(self) -> list[str]:
        """Return the console's lines: failed loads, policy violations, script errors."""
        return [str(line["message"]) for line in browser_log(self.driver)]

    def photograph(self, name: str) -> None:
        """Save a picture for review, where SCOPEWATCH_SCREENSHOTS names a folder."""
        folder = os.environ.get("SCOPEWATCH_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    browser = os.environ.get("SCOPEWATCH_CHROMIUM") or shutil.which("chromium")
    driver_path = shutil.which("chromedriver")
    if not browser or not driver_path:
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium: webdriver.Chrome, tmp_path: Path, clock: FakeClock) -> Iterator[Page]:
    clock.wall = NOW
    window = Page(chromium)
    app = create_app(
        DashboardContext(
            reader=window.reader,
            overlay_folder=tmp_path,
            alerts=window.alerts,
            health=window.health,
            states=states_of(window.reader, window.health, clock, lambda: 0),
            waiting=lambda: 0,
            acquisitions=lambda: window.acquisitions,
            registry=CollectorRegistry(),
            facts=replace(FACTS, acquires=("scope",)),
            clock=clock,
            token="a token of this process",
        ),
    )
    with WebServer(app, Listener("127.0.0.1", 0)) as server:
        window.server = server
        browser_log(chromium)
        # For example the language that another test chose.
        chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
        yield window
        leave(chromium)


@pytest.fixture
def shortly(eventually: Callable[..., None]) -> Callable[[Callable[[], object]], None]:
    """Wait for the browser to reach a state."""
    return lambda condition: eventually(condition, within_s=10)
