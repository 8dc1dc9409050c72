"""Pictures of the dashboard over six prepared plates, for people to review.

    python -m benchmarks.dashboard.pictures build/pictures
    python -m benchmarks.dashboard.pictures build/pictures --plates wrong-channel --widths 1440

writes PLATE-PAGE-WIDTH-SCHEME-LANGUAGE.png for every plate, page, width, colour scheme and language
asked for, and prints the state of each plate and the output of the browser's console. It ends with
1 where the console printed anything, or a page asked another host.
Debian: `apt-get install chromium chromium-driver`.
"""

import argparse
import base64
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from urllib.parse import quote, urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from benchmarks.dashboard.plans import PLANS
from benchmarks.dashboard.plates import RUN, assess_runs, prepare, serve
from scopewatch.core.phrases import Language
from scopewatch.store.read.reader import Reader

PAGES = {
    "plate": "/",
    "well": f"/wells/{quote(RUN)}/plate-1/B2",
    "alerts": "/alerts",
    "quarantine": "/quarantine",
}
WIDTHS = (1440, 390)
SCHEMES = ("light", "dark")
LANGUAGES = tuple(language.value for language in Language)
PHONE_PX = 600
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")


@contextmanager
def open_browser() -> Iterator[webdriver.Chrome]:
    """Start a headless Chromium; SCOPEWATCH_CHROMIUM names another one than the system's."""
    browser = os.environ.get("SCOPEWATCH_CHROMIUM") or shutil.which("chromium")
    driver = shutil.which("chromedriver")
    if not browser or not driver:
        raise SystemExit("needs Chromium: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = browser
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield window
    finally:
        window.quit()


def show(
    window: webdriver.Chrome, address: str, *, width: int, scheme: str, language: str = "en"
) -> None:
    """Open a page in a given width and colour scheme, with a preferred language."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < PHONE_PX}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    headers = {"headers": {"Accept-Language": language}}
    window.execute_cdp_cmd("Network.enable", {})
    window.execute_cdp_cmd("Network.setExtraHTTPHeaders", headers)
    window.get(address)


def photograph(window: webdriver.Chrome) -> bytes:
    """Return the whole page as PNG, beyond the visible part too."""
    shot = window.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True}
    )
    return base64.b64decode(shot["data"])


def strangers(window: webdriver.Chrome, host: str) -> list[str]:
    """Return the addresses on other hosts from which a page loaded something."""
    script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    return [name for name in window.execute_script(script) if urlsplit(name).netloc != host]


def take(window: webdriver.Chrome, name: str, out: Path, args: argparse.Namespace) -> Iterator[str]:
    """Write the pictures of one plate; yield what is wrong with its pages."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(name, Path(folder) / name)
        with closing(Reader.open(prepared.config.state.folder)) as reader:
            state = assess_runs(prepared, reader).of(RUN)
        print(f"{name}: {state.level}: {state.line}")
        with serve(prepared) as server:
            looks = product(args.pages, args.widths, args.schemes, args.languages)
            for page, width, scheme, language in looks:
                address = server.url.rstrip("/") + PAGES[page]
                show(window, address, width=width, scheme=scheme, language=language)
                picture = out / f"{name}-{page}-{width}-{scheme}-{language}.png"
                picture.write_bytes(photograph(window))
                console = window.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's own
                yield from (f"{name} {page}: {line['message']}" for line in console)
                host = urlsplit(server.url).netloc
                yield from (f"{name} {page} asked {each}" for each in strangers(window, host))
            # The page refreshes every few seconds, and the server is about to stop.
            window.get("about:blank")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pictures of the call."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--plates", nargs="+", choices=list(PLANS), default=list(PLANS))
    parser.add_argument("--pages", nargs="+", choices=list(PAGES), default=list(PAGES))
    parser.add_argument("--widths", nargs="+", type=int, default=list(WIDTHS))
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    with open_browser() as window:
        wrong = [line for name in args.plates for line in take(window, name, args.out, args)]
    print("\n".join(wrong) or "consoles silent, no request left the host")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
