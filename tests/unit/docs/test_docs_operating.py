"""The operator's page says what the program does."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import yaml

from scopewatch.config import (
    AlertsConfig,
    ChannelUrl,
    Config,
    DigestConfig,
    HeartbeatConfig,
    PlateConfig,
    RuleConfig,
)
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.faults import Fault
from scopewatch.core.phrases import Language
from scopewatch.sources.layouts.registry import LAYOUTS
from scopewatch.sources.micromanager.plans.plate import plate_positions

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
MINIMAL, WHOLE, SHARED, ALERTS = EXAMPLES
SERVICE = (ROOT / "systemd/scopewatch.service").read_text(encoding="utf-8")


def test_the_examples_are_valid_configurations() -> None:
    for example in (MINIMAL, WHOLE):
        assert Config.model_validate(yaml.safe_load(example)).sources
    for part in (SHARED, ALERTS):
        Config.model_validate(yaml.safe_load(MINIMAL) | yaml.safe_load(part))


def test_the_whole_example_names_every_setting_there_is() -> None:
    shown = set(re.findall(r"(\w+):", WHOLE))
    schema = Config.model_json_schema()
    sections = (schema, *schema["$defs"].values())
    known = {name for section in sections for name in section.get("properties", {})}
    assert known >= {"sources", "settle_s", "port", "url", "hour", "p_critical", "free_gb"}
    assert known - shown == set()


def test_the_values_shown_as_defaults_are_the_defaults() -> None:
    whole = Config.model_validate(yaml.safe_load(WHOLE))
    least = Config.model_validate(yaml.safe_load(MINIMAL))
    for section in ("overlays", "store", "web", "runtime"):
        assert getattr(whole, section) == getattr(least, section)
    assert whole.alerts.rules[0] == RuleConfig(name="weak")
    for setting in ("retry_s", "break_after", "break_s", "language", "dashboard_url"):
        assert getattr(whole.alerts, setting) == getattr(least.alerts, setting)
    channel = whole.alerts.channels[0]
    assert channel == ChannelUrl(name=channel.name, url=channel.url)
    assert whole.alerts.digest == DigestConfig()
    assert whole.alerts.heartbeat is not None
    assert whole.alerts.heartbeat == HeartbeatConfig(url=whole.alerts.heartbeat.url)
    folder = whole.sources[0].model_dump(exclude={"name", "um_per_px"})
    assert folder == least.sources[0].model_dump(exclude={"name", "um_per_px"})


# Apprise's mail channel looks for a module that Python 3.13 no longer has.
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_every_alert_address_shown_is_one_that_apprise_understands(tmp_path: Path) -> None:
    from scopewatch.notify.apprise_channels import AppriseNotifier  # noqa: PLC0415 (see above)

    channels = AlertsConfig.model_validate(yaml.safe_load(ALERTS)["alerts"]).channels
    assert len(channels) == 5
    AppriseNotifier({channel.name: channel.url for channel in channels}, tmp_path)


@pytest.mark.parametrize("kind", RuleKind)
def test_every_kind_of_alert_is_explained_with_what_to_do(kind: RuleKind) -> None:
    section = PAGE.split("## What each alert means and what to do")[1].split("## Messages")[0]
    ((meaning, advice),) = re.findall(
        rf"^\| `{kind.value}` \| ([^|]{{20,}}) \| ([^|]{{20,}}) \|$", section, re.MULTILINE
    )
    assert meaning != advice


def test_the_plate_that_is_shown_has_96_wells_of_two_sites() -> None:
    """Four lines: whoever has two wells measured writes them in less than a minute."""
    (shown,) = re.findall(r"two sites are\n\n((?:    .*\n)+)", PAGE)
    plate = PlateConfig.model_validate(yaml.safe_load(shown)["plate"])
    found = plate_positions(plate, "plate")
    assert len(found.positions) == 192
    assert set(Counter(well for well, _ in found.expected.values()).values()) == {2}
    assert len(shown.splitlines()) == 4


@pytest.mark.parametrize("language", Language)
def test_every_language_of_messages_is_named(language: Language) -> None:
    choices = re.search(r"^  language: .*# of messages: (.*)$", WHOLE, re.MULTILINE)
    assert choices is not None
    assert language.value in choices[1].split(" or ")


@pytest.mark.parametrize("fault", Fault)
def test_every_reason_for_quarantine_is_explained(fault: Fault) -> None:
    assert f"| `{fault}` |" in PAGE


@pytest.mark.parametrize("preset", sorted(LAYOUTS))
def test_every_name_pattern_is_shown(preset: str) -> None:
    assert f"| `{preset}` |" in PAGE


def test_every_message_explained_is_one_that_the_program_writes() -> None:
    written = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("daemon/scopewatch",)
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".html", ".js"}
    )
    table = PAGE.split("## What the messages mean")[1].split("## Network shares")[0]
    messages = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)[2:]
    quoted = [text for cell in messages for text in re.findall(r"`([^`]+)`", cell)]
    assert len(quoted) > 15
    assert [text for text in quoted if text.removesuffix(" ...") not in written] == []


def test_links_within_the_documentation_lead_somewhere() -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
        headings = {
            re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
            for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        }
        for anchor in re.findall(r"\]\(#([^)]+)\)", text):
            assert anchor in headings, f"{page.name}: #{anchor}"


def test_the_unit_never_restarts_what_a_restart_cannot_mend() -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", SERVICE, re.MULTILINE))
    assert settings["Type"] == "notify"
    assert settings["Restart"] == "on-failure"
    assert settings["RestartPreventExitStatus"] == "2"
    assert settings["ExecStart"].startswith("/opt/scopewatch/bin/scopewatch run -c")
    # Every folder the unit may write to is in the steps to install and to uninstall it.
    for folder in ("/var/lib/scopewatch", "/var/log/scopewatch", "/etc/scopewatch"):
        assert folder in PAGE


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (ROOT / "docs/adr/0005-dependencies.md").read_text(encoding="utf-8")
    names = [re.match(r"[\w-]+", line) for line in project["dependencies"]]
    assert [name[0] for name in names if name and name[0] not in page] == []


def test_decisions_have_one_form_and_stand_in_the_index() -> None:
    folder = ROOT / "docs/adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = sorted(folder.glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]
        assert re.search(r"^Status: (accepted|replaced by)", text, re.MULTILINE)
        assert page.name in index
