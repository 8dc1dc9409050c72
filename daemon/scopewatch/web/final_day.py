"""The final day on the page of a well: the measured efficiency beside estimate and forecasts."""

from dataclasses import dataclass
from pathlib import Path

from scopewatch.core.estimation.forecast_validation import RunReport, WellEnd, judge_run
from scopewatch.core.well_name import WellName
from scopewatch.store.write.proposing import proposal_path
from scopewatch.web.monitor_store import Facts, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalDay:
    """A measured well, and how its run compares with the model's card.

    Parameters
    ----------
    proposal
        The file that proposes recalibration; None where none is proposed.
    """

    well: WellEnd
    run: RunReport
    proposal: Path | None


def find_final_day(reader: Reader, facts: Facts, name: WellName) -> FinalDay | None:
    """Return the fluorescence result of a well; None before it was measured."""
    ends = reader.ends(name.run)
    wells = ends[0].wells if ends else ()
    place = name.plate, name.well
    well = next((each for each in wells if (each.plate, each.well) == place), None)
    if well is None:
        return None
    report = judge_run(wells, facts.errors)
    path = None if facts.state is None else proposal_path(facts.state, name.run)
    proposed = path is not None and report.departs != "" and path.is_file()
    return FinalDay(well=well, run=report, proposal=path if proposed else None)
