"""`scopewatch-train prepare`: makes a data set with its QC report from pairs."""

# ruff: noqa: PLC0415  (imported within: at the top they would cost every call ten seconds)

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from scopewatch.cli.options.groups import with_option_groups
from scopewatch.core.errors import ConfigError, complaint

if TYPE_CHECKING:
    from scopewatch_training.dataset.manifest import PairRow
    from scopewatch_training.dataset.settings import LabelSettings, PrepareSettings

EXAMPLE = "scopewatch-train prepare runs/manifest.csv --out data/hes3 --marker NKX2.5-GFP"
QC_FOLDER = "qc"
MANIFEST = "manifest.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareOptions:
    """Arguments and options of `prepare`."""

    out: Annotated[
        Path, typer.Option(help="Folder of the data set; a call that was cut off goes on.")
    ]
    manifest: Annotated[
        Path | None,
        typer.Argument(
            help="CSV with columns run,plate,well,site,time_point,phase,fluorescence"
            "[,um_per_px][,day]."
        ),
    ] = None
    from_folder: Annotated[
        Path | None, typer.Option(help="Instead of a manifest: a folder with one folder per run.")
    ] = None
    pattern: Annotated[
        str, typer.Option(help="File names under --from-folder: a preset or regular expression.")
    ] = "scopewatch"
    phase_channel: Annotated[str, typer.Option(help="Name of the phase channel.")] = "phase"
    fluorescence_channel: Annotated[str, typer.Option(help="Name of the fluorescence channel.")] = (
        "gfp"
    )
    marker: Annotated[str, typer.Option(help="What the fluorescence shows.")] = "fluorescence"
    um_per_px: Annotated[float | None, typer.Option(help="Bring all pairs to this scale.")] = None
    background_px: Annotated[
        float, typer.Option(help="Width of the flat-field filter, far wider than a cell.")
    ] = 64.0
    contrast_share: Annotated[
        float,
        typer.Option(
            help="Middle share of the pixels that sets a frame's contrast; 0.5 where"
            " cells lie apart."
        ),
    ] = 0.9
    register: Annotated[bool, typer.Option(help="Shift fluorescence onto the phase frame.")] = True
    max_shift_px: Annotated[float, typer.Option(help="Largest shift that is looked for.")] = 20.0
    smooth_px: Annotated[float, typer.Option(help="Noise filter of the fluorescence.")] = 1.0
    glow_px: Annotated[
        int, typer.Option(help="Reach of the glow about bright cells that is no cell; 0: none.")
    ] = 0
    glow_share: Annotated[
        float, typer.Option(help="Share of the brightest within --glow-px that is still a cell.")
    ] = 0.3
    tile_px: Annotated[int, typer.Option(help="Side of a tile: 8, 16, 32, 64 or 128.")] = 32
    area_cutoff: Annotated[
        float, typer.Option(help="Positive share of a tile's area that makes it positive.")
    ] = 0.05
    ambiguous_band: Annotated[
        float, typer.Option(help="Tiles within +- this share of the cut-off do not count.")
    ] = 0.0
    binarise: Annotated[
        str, typer.Option(help="otsu, triangle, mad, fixed:COUNTS or control:RUN/PLATE/WELL.")
    ] = "otsu"
    scope: Annotated[
        str | None, typer.Option(help="Threshold per-frame, per-run or pooled over runs.")
    ] = None
    simulated: Annotated[
        bool,
        typer.Option(
            "--simulated",
            help="The pictures are simulated, though nothing in or beside their files shows it.",
        ),
    ] = False
    qc: Annotated[bool, typer.Option(help="Write the QC report and the page of doubts beside.")] = (
        True
    )
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as cores by default.")
    ] = None

    def pair_settings(self) -> "PrepareSettings":
        """Return how pairs become views and signals."""
        from scopewatch.core.imaging.normalise import NormaliseSpec
        from scopewatch_training.dataset.settings import PrepareSettings

        return PrepareSettings(
            marker=self.marker,
            normalisation=NormaliseSpec(
                background_px=self.background_px, contrast_share=self.contrast_share
            ),
            register=self.register,
            max_shift_px=self.max_shift_px,
            smooth_px=self.smooth_px,
            glow_px=self.glow_px,
            glow_share=self.glow_share,
            um_per_px=self.um_per_px,
        )

    def label_settings(self) -> "LabelSettings":
        """Return how tiles are labelled."""
        from scopewatch_training.dataset.settings import LabelSettings
        from scopewatch_training.network.network_spec import require_tile_side

        require_tile_side(self.tile_px)
        return LabelSettings(
            tile_px=self.tile_px,
            area_cutoff=self.area_cutoff,
            ambiguous_band=self.ambiguous_band,
        )


@with_option_groups
def prepare(options: PrepareOptions) -> None:
    """Register, normalise and check all pairs; ends with a QC report to look at."""
    import numpy as np

    from scopewatch_training.cli.console import counting, print_line
    from scopewatch_training.cli.fit_options import parse_binarise
    from scopewatch_training.cli.next_steps import after_prepare
    from scopewatch_training.dataset.doubt_page.page import write_doubts
    from scopewatch_training.dataset.doubt_page.summaries import fit_cuts
    from scopewatch_training.dataset.doubts import verdict
    from scopewatch_training.dataset.pairs.record import refused
    from scopewatch_training.dataset.prepare import prepare as prepare_pairs
    from scopewatch_training.dataset.qc import write_qc
    from scopewatch_training.dataset.tile_counts import count_tiles
    from scopewatch_training.dataset.worker_processes import count_workers

    out = options.out
    settings, labels = options.pair_settings(), options.label_settings()
    binarise = parse_binarise(options.binarise, options.scope)
    console = Console()
    rows = find_rows(options, console)
    now = datetime.now(UTC)
    with counting(console, "pairs") as progress:
        dataset = prepare_pairs(
            rows,
            out,
            settings,
            now=now,
            labels=labels,
            binarise=binarise,
            simulated=options.simulated,
            workers=options.workers or count_workers(len(rows)),
            progress=progress,
        )
    for name, reason in refused(dataset.pairs):
        print_line(console, f"refused {name}: {reason}")
    shown = ""
    if options.qc:
        tiles = count_tiles(dataset, fit_cuts(dataset))
        page = write_qc(dataset, out / QC_FOLDER, now, np.random.default_rng(0), tiles)
        shown = f" (with pictures: {write_doubts(dataset, now, tiles)})"
        print_line(console, f"look at {page} before you train")
    print_line(
        console,
        f"{len(dataset.accepted)} of {len(dataset.pairs)} pairs ready in {out}:"
        f" runs {', '.join(dataset.runs())}",
    )
    for doubt in dataset.doubts:
        print_line(console, f"{doubt.weight.name.lower()}: {doubt.line}")
    print_line(console, f"verdict: {verdict(dataset.doubts)}{shown}")
    # Raises where corrections of an earlier review do not fit what was prepared now.
    corrections = dataset.read_corrections()
    corrected = "" if corrections is None else corrections.describe()
    if corrected:
        print_line(console, corrected)
    step = after_prepare(dataset)
    if step is not None:
        print_line(console, step)


def find_rows(options: PrepareOptions, console: Console) -> "Sequence[PairRow]":
    """Read the manifest, or pair a folder and keep what was found as a manifest in `out`.

    Raises
    ------
    ConfigError
        When both or neither are given, or there is no pair.
    """
    from scopewatch_training.cli.console import print_line
    from scopewatch_training.dataset.manifest import read_manifest
    from scopewatch_training.dataset.pairing import pair_folder, write_manifest

    manifest, folder = options.manifest, options.from_folder
    if (manifest is None) == (folder is None):
        raise ConfigError(
            complaint(
                "pairs are not given",
                where="prepare",
                expected="either a manifest or --from-folder",
                got="neither" if manifest is None else "both",
                do=f"give one, as in {EXAMPLE}",
            )
        )
    if folder is None:
        return read_manifest(manifest or Path())
    found = pair_folder(
        folder,
        fluorescence=options.fluorescence_channel,
        phase=options.phase_channel,
        pattern=options.pattern,
    )
    for line in (
        *found.unread,
        *(f"no phase frame for {name}" for name in found.fluorescence_only),
    ):
        print_line(console, f"left out: {line}")
    print_line(
        console, f"{len(found.rows)} pairs; {found.phase_only} phase frames without fluorescence"
    )
    options.out.mkdir(parents=True, exist_ok=True)
    write_manifest(found.rows, options.out / MANIFEST)
    return found.rows
