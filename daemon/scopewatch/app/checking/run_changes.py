"""Checks whether a configuration continues the run that has results, and what it changes."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

from scopewatch.app.checking.finding import Finding
from scopewatch.app.run_policy import policy_of
from scopewatch.app.shared.places import place_of
from scopewatch.config import Config
from scopewatch.core.errors import ConfigError, StoreError
from scopewatch.monitoring.run_changes import explain_name, explain_settings
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.engine import has_results

SUBJECT = "run"


def check_run(config: Config, now: datetime) -> Iterator[Finding]:
    """Compare the configuration with the results of its run, and of the run under way."""
    for line in explain_run(config, now):
        yield Finding(subject=SUBJECT, text=line, advice=True)


def explain_run(config: Config, now: datetime) -> list[str]:
    """Return one line for each thing that would change; nothing where no results can be read."""
    run = config.experiment
    policy = policy_of(run)
    try:
        place = place_of(config)
        if not has_results(place):
            return []
        with closing(Reader.open(place)) as reader:
            last = reader.run_results()
            goes_on = last is not None and last.name == run.name
            own = last if goes_on else reader.run_results(run.name)
    except (StoreError, ConfigError):
        return []  # the check of the database reports it, and so does the start
    lines: list[str] = []
    if last is not None:
        lines += explain_name(run.name, policy, last, now)
    if own is not None:
        lines += explain_settings(policy, run.started_at, own)
    return lines
