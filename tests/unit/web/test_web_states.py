"""How a run is: what the top of every page says of it."""

from dataclasses import replace
from datetime import timedelta

from scopewatch.core.alerts.observation import Evidence, Subject
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.monitoring.expectation import Standard
from scopewatch.monitoring.run_facts import FrameTally
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import (
    FACTS,
    NOW,
    alert_row,
    flag,
    named,
    refused_row,
    well_row,
)
from tests.unit.web.page_scene import PAGES, ended, two_wells, words_of


def test_no_flag_is_an_all_clear_only_where_every_well_was_judged_lately(
    dashboard: Dashboard,
) -> None:
    dashboard.reader.rows = [well_row("A1"), well_row("A2")]
    text = words_of(dashboard.get("/").text)
    assert "✔</span> No well is flagged." in text
    assert "All wells (2) were judged within the last 12 min." in text
    dashboard.reader.rows = [
        well_row("A1"),
        well_row("A2", last_frame_at=NOW - timedelta(hours=31)),
    ]
    text = words_of(dashboard.get("/").text)
    assert "No well is flagged" not in text
    assert "✔" not in text
    assert "1 of 2 wells: no judged frame for 31 h: A2" in text
    assert "<title>(!) Plate" in text


def test_most_frames_unfit_are_shown_at_the_top_of_every_page_with_figures_below(
    dashboard: Dashboard,
) -> None:
    two_wells(dashboard)
    reason = "frame looks unlike ...: card (expected contrast <= 0.2, got 0.5); `<other>` model"
    dashboard.reader.frames = FrameTally(
        scored=12, unfit={"out-of-domain": 24}, examples={"out-of-domain": (reason,)}
    )
    for page in PAGES:
        text = words_of(dashboard.get(page).text)
        head = text[: text.index("</header>")]
        assert head.count("24 of 36 frames: the model does not fit this microscope") == 1
        assert "needs a model of its own" in head
        assert "(expected contrast &lt;= 0.2, got 0.5); <code>&lt;other&gt;</code> model" in head
        assert 'data-cause="unfit"' in head
        # What was flagged before still is.
        assert "1 well is flagged" in head


def test_frames_of_another_channel_are_shown_at_the_top_with_what_to_set(
    dashboard: Dashboard,
) -> None:
    other = replace(well_row("A1", None, time_point=None, day=None), judged_at=None)
    dashboard.reader.rows = [other]
    dashboard.reader.others = {"PH": 36}
    text = words_of(dashboard.get("/").text)
    assert "36 frames are of channel PH, but phase_channel is &#39;phase&#39;" in text
    assert "Set experiment.phase_channel" in text
    assert "not judged" in text
    assert "No well is flagged" not in text


def test_a_finished_run_shows_its_summary_and_keeps_its_colours(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [ended(well_row("A1", 0.62)), ended(well_row("A2", 0.22))]
    text = words_of(dashboard.get("/").text)
    assert "The run is finished: day 10.0, 2 of 2 wells judged." in text
    assert "1 of 2 wells reached the target of 50%." in text
    assert "Below the target of 50%: A2 (22%)" in text
    assert '<a class="well b4"' in text
    assert '<a class="well b0"' in text
    assert "is the acquisition running" not in text
    assert 'role="alert"' not in text.replace('id="lost" class="state bad" role="alert"', "")
    assert [well["stale"] for well in dashboard.get("/api/wells.json").json()["wells"]] == [
        False
    ] * 2


def test_pages_counts_flags_and_target_are_of_the_run_that_is_shown(dashboard: Dashboard) -> None:
    run_9, run_8 = named("A1", run="run 9"), named("B1", run="run 8")
    old = well_row("B1", 0.2, name=run_8, flags=(flag(),), scored=21)
    dashboard.reader.rows = [well_row("A1", name=run_9, scored=3), ended(old)]
    dashboard.reader.quarantine = [refused_row(well=run_8)]
    dashboard.reader.raised = [
        alert_row(subject=Subject(run="run 8", plate="P1", well="B1"), rule="old weak")
    ]
    rules = tuple(
        AlertRule(name=f"weak of {run}", target=target, runs=(run,))
        for run, target in (("run 9", 0.5), ("run 8", 0.3))
    )
    dashboard.build(
        replace(
            FACTS,
            run="run 9",
            standard=Standard(rules=rules, final_day=10),
        )
    )
    newest, older = (words_of(dashboard.get(f"/{ask}").text) for ask in ("", "?experiment=run+8"))
    assert "<h1>run 9</h1>" in newest
    assert "<dt>Scored</dt><dd>3</dd>" in newest
    assert '<dd><a href="/quarantine">0</a></dd>' in newest
    assert "<dt>Target</dt><dd>50" in newest
    assert "flagged:" not in newest
    assert "<h1>run 8</h1>" in older
    assert "<dt>Scored</dt><dd>21</dd>" in older
    assert '<dd><a href="/quarantine?experiment=run+8">1</a></dd>' in older
    assert "<dt>Target</dt><dd>30" in older
    assert "1 well is flagged:" in older
    assert "The run is finished" in older
    assert '<a href="/alerts?experiment=run+8"' in older
    assert "old weak" not in dashboard.get("/alerts").text
    assert "old weak" in dashboard.get("/alerts?experiment=run+8").text
    assert "out-of-focus" not in dashboard.get("/quarantine").text
    assert "out-of-focus" in dashboard.get("/quarantine?experiment=run+8").text
    well = words_of(dashboard.get("/wells/run%208/P1/B1").text)
    assert "<h1>run 8</h1>" in well


def test_a_configured_run_without_a_frame_is_named_and_says_that_it_waits(
    dashboard: Dashboard,
) -> None:
    dashboard.reader.rows = [ended(well_row("B1", name=named("B1", run="run 8")))]
    dashboard.build(replace(FACTS, run="run 9"))
    first = words_of(dashboard.get("/").text)
    assert "<h1>run 8</h1>" in first
    assert '<a href="/?experiment=run+9">run 9</a>' in first.replace("%20", "+")
    waiting = words_of(dashboard.get("/?experiment=run+9").text)
    assert "<h1>run 9</h1>" in waiting
    assert "Waiting for the first frame." in waiting
    assert "No well yet" in waiting


def test_what_the_state_says_is_not_shown_again_by_the_monitors_alert(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A2", last_frame_at=NOW - timedelta(hours=30))]
    dashboard.reader.raised = [
        alert_row(
            subject=Subject(run=FACTS.run),
            rule="no frame",
            kind=RuleKind.NO_FRAMES,
            evidence=Evidence(measures={"silent_h": 30.0}),
        )
    ]
    text = words_of(dashboard.get("/").text)
    assert "No frame for 30 h: is the acquisition running?" in text
    assert "the monitor</a>: no frame" not in text
    assert "no frame for 30.0 h" in dashboard.get("/alerts").text


def test_silence_of_the_whole_run_is_shown_at_the_top(dashboard: Dashboard) -> None:
    two_wells(dashboard)
    assert "No frame for" not in dashboard.get("/").text
    dashboard.clock.advance(20 * 3600)
    assert "No frame for 20 h: is the acquisition running?" in dashboard.get("/").text


def test_a_daemon_that_is_not_well_says_so_on_every_page(dashboard: Dashboard) -> None:
    two_wells(dashboard)
    dashboard.health.complaints = ("folder: the share is gone",)
    for page in PAGES:
        text = dashboard.get(page).text
        assert "scopewatch is not well" in text
        assert "folder: the share is gone" in text


def test_every_page_of_a_simulated_run_says_simulated(dashboard: Dashboard) -> None:
    two_wells(dashboard)
    for page in PAGES:
        assert "SIMULATED" not in dashboard.get(page).text
    dashboard.build(replace(FACTS, simulated=True))
    for page in PAGES:
        assert "SIMULATED" in dashboard.get(page).text


def test_the_header_has_the_figures_of_the_run(dashboard: Dashboard) -> None:
    two_wells(dashboard)
    dashboard.reader.quarantine = [refused_row()] * 3
    dashboard.waiting = 5
    text = words_of(dashboard.get("/").text)
    for figure in (
        "<dt>Scored</dt><dd>26</dd>",
        '<dt>Quarantined</dt><dd><a href="/quarantine">3</a></dd>',
        "<dt>Waiting</dt><dd>5</dd>",
        "12 min ago</time>",
        "cardio-sim <small>0123456789ab</small>",
        "day <b>6.5</b>",
    ):
        assert figure in text
