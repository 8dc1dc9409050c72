"""Tables of simulated frames: their files, and the truth."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scopewatch_simulator.plan import (
    AREA_CUTOFF,
    PLATE,
    SIMULATOR_VERSION,
    TILE_PX,
    UM_PER_PX,
    Regime,
    day_of,
    well_name,
)
from scopewatch_simulator.truth import FrameTruth

_NOTICE = """Everything in this folder is simulated: images, efficiencies, times.
It says nothing about real cells, real differentiations or any microscope.

simulator version: {version}
seed: {seed}
regime: {regime}
true_efficiency: share of whole {tile_px} x {tile_px} px tiles of which at least {cutoff:.0%} is \
cardiomyocytes
"""

MANIFEST = ("run", "plate", "well", "site", "time_point", "phase", "fluorescence", "um_per_px")
TIMELAPSE = ("run", "plate", "well", "site", "time_point", "day", "phase", "um_per_px")
TRUTH = (
    "run",
    "plate",
    "well",
    "site",
    "time_point",
    "day",
    "true_efficiency",
    "true_area_fraction",
    "final_efficiency",
    "well_kind",
    "simulator_version",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """One simulated moment of one field of view.

    Parameters
    ----------
    phase, fluorescence
        Paths relative to the output folder; None where there is no file of its own (NDTiff), or
        no fluorescence frame (before the final day).
    final
        Truth of the same field on the final day.
    """

    run: str
    well: int
    site: int
    time_point: int
    phase: str | None
    fluorescence: str | None
    truth: FrameTruth
    final: FrameTruth
    well_kind: str


def write_tables(out: Path, records: Iterable[FrameRecord]) -> None:
    """Write truth.csv, and where frames are files of their own manifest.csv and timelapse.csv."""
    rows = [_row(record) for record in records]
    _write(out / "truth.csv", TRUTH, rows)
    if any(row["phase"] for row in rows):
        _write(out / "timelapse.csv", TIMELAPSE, rows)
        _write(out / "manifest.csv", MANIFEST, [row for row in rows if row["fluorescence"]])


def write_notice(out: Path, *, seed: int, regime: Regime) -> None:
    """Write SIMULATED.txt, which marks the folder as simulated."""
    text = _NOTICE.format(
        version=SIMULATOR_VERSION, seed=seed, regime=regime, tile_px=TILE_PX, cutoff=AREA_CUTOFF
    )
    (out / "SIMULATED.txt").write_text(text, encoding="utf-8")


def _row(record: FrameRecord) -> dict[str, object]:
    return {
        "run": record.run,
        "plate": PLATE,
        "well": well_name(record.well),
        "site": record.site,
        "time_point": record.time_point,
        "day": f"{day_of(record.time_point):g}",
        "phase": record.phase,
        "fluorescence": record.fluorescence,
        "um_per_px": UM_PER_PX,
        "true_efficiency": f"{record.truth.efficiency:.5f}",
        "true_area_fraction": f"{record.truth.area_fraction:.5f}",
        "final_efficiency": f"{record.final.efficiency:.5f}",
        "well_kind": record.well_kind,
        "simulator_version": SIMULATOR_VERSION,
    }


def _write(path: Path, columns: tuple[str, ...], rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
