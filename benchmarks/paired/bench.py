"""All ratios of cost in one run: CPU time a frame of 2048 x 2048 px, on this processor.

    python -m benchmarks.paired.bench [--baseline COMMIT] [--pairs 30] [--only invoke|frames|walks]

Everything that is compared takes turns on this machine, so that its load meets all alike:

- frames: from file closed to committed result with its picture, by real daemons of this tree and of
  the baseline; without the start of the process.
- walks: a rescan of 100,000 settled files, by both.
- invoke: this tree's int8 invoke beside other ways to score a frame: OpenVINO, ONNX Runtime (where
  `make bench` has installed them), Keras tile by tile and in batches, a pixel U-Net's layers in
  Keras, and with --torch PYTHON in PyTorch.

Each ratio is a median with its 95 % bootstrap interval. It is added to a history of this class of
machine; exits with 1 where a ratio became worse than when it was last measured here.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.paired import bench_history, compare_builds, compare_walks, hidden_avx512
from benchmarks.paired.bench_history import Entry
from benchmarks.paired.builds import (
    PROJECT,
    Build,
    baseline,
    commit_of_this,
    processor,
    this_build,
)
from benchmarks.paired.ratios import Ratio
from benchmarks.paired.turns import Contender, Plan, ratios_to, take_turns
from scopewatch.inference.bundle import MODEL_FILE

CONTENDERS = PROJECT / "benchmarks" / "contenders"
OURS = "int8 invoke of this tree, LiteRT"
PARTS = ("invoke", "frames", "walks")


def main() -> int:
    """Measure, print, keep, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", default=os.environ.get("BASELINE") or None)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--only", choices=PARTS, action="append", help="may be given repeatedly")
    parser.add_argument("--runtimes", type=Path, help="Python that has OpenVINO and ONNX Runtime")
    parser.add_argument("--torch", type=Path, help="Python that has PyTorch")
    parser.add_argument("--without-avx512", action="store_true", help="frames and our invoke alone")
    parser.add_argument("--history", type=Path, default=PROJECT / "build" / "bench")
    call = parser.parse_args()
    parts = call.only or PARTS
    name = f"{processor()}{f'; {hidden_avx512.LABEL}' if call.without_avx512 else ''}"
    print(f"{name}; load before the run {os.getloadavg()[0]:.2f}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        variables = hidden_avx512.hide_avx512(folder) if call.without_avx512 else {}
        this, old = this_build(variables), None
        if call.baseline:
            old = stack.enter_context(baseline(call.baseline, variables))
        ratios = {}
        if "invoke" in parts:
            ratios |= invokes(plans(this, old, call), folder, call.pairs)
        if old is not None and "frames" in parts:
            ratios |= frames(old, this, folder, call.pairs)
        if old is not None and "walks" in parts and not call.without_avx512:
            ratios |= walks(old, this, folder, call.pairs)
    print(f"\n{name}: CPU time, median of the ratios with its 95 % interval")
    for comparison, ratio in ratios.items():
        print(f"  {comparison:<64} x {ratio}")
    return keep(ratios, call.history, name)


def keep(ratios: Mapping[str, Ratio], folder: Path, name: str) -> int:
    """Add the ratios to the history; return 1 where one became worse."""
    at, commit = datetime.now(UTC).isoformat(timespec="seconds"), commit_of_this()
    now = [
        Entry(at=at, commit=commit, processor=name, comparison=comparison, ratio=ratio)
        for comparison, ratio in ratios.items()
    ]
    path = bench_history.history_file(folder, name)
    worse = bench_history.regressions(bench_history.read(path), now)
    bench_history.append(path, now)
    print(f"kept in {path}")
    print("\n".join(worse) or "no ratio is worse than when it was last measured here")
    return 1 if worse else 0


def frames(old: Build, new: Build, folder: Path, pairs: int) -> dict[str, Ratio]:
    """Compare whole frames."""
    print("frames: from file to committed result with its picture")
    place = folder / "whole"
    place.mkdir()
    compared = compare_builds.compare(old, new, place, compare_builds.Rounds(pairs=pairs))
    compared.print()
    print(
        f"peak memory, this / {old.name}: x {compared.peak_mb['new'] / compared.peak_mb['old']:.3f}"
    )
    return {
        f"frame with its picture, this / {old.name}": compared.ratio,
        f"frame with its picture, {old.name} / itself": compared.control,
    }


def walks(old: Build, new: Build, folder: Path, pairs: int) -> dict[str, Ratio]:
    """Compare rescans."""
    print(f"walks: a rescan of {compare_walks.FILES} settled files")
    place = folder / "walks"
    place.mkdir()
    walked = compare_walks.compare(old, new, place, pairs)
    walked.print()
    return {f"rescan of {compare_walks.FILES} files, this / {old.name}": walked.ratio}


def invokes(wanted: list[Plan], folder: Path, pairs: int) -> dict[str, Ratio]:
    """Compare ways to score a frame; one that does not start is left out, with its reason."""
    print("invoke: one thread each")
    with ExitStack() as stack:
        running = []
        for number, plan in enumerate(wanted):
            try:
                contender = Contender(plan, folder / f"contender-{number}.log")
            except RuntimeError as error:
                if plan.name == OURS:
                    raise
                print(f"left out: {error}")
                continue
            running.append(stack.enter_context(contender))
        took_ms = take_turns(running, pairs)
    for each in running:
        cpu_ms = statistics.median(took_ms[each.name])
        print(f"{each.name:<44}{cpu_ms:>12.1f} CPU-ms a frame, {each.version}")
    ratios = ratios_to(OURS, took_ms)
    return {f"int8 invoke, this / {other}": ratio for other, ratio in ratios.items()}


def plans(this: Build, old: Build | None, call: argparse.Namespace) -> list[Plan]:
    """List the contenders that can run here, ours first."""
    found = [_plan(OURS, sys.executable, "litert.py", this.environ, this.model)]
    if old is not None:
        # By this tree's code, so that the networks alone are compared.
        found.append(
            _plan(f"network of {old.name}", sys.executable, "litert.py", this.environ, old.model)
        )
    if call.without_avx512:
        return found
    if call.runtimes is None:
        print("left out: OpenVINO and ONNX Runtime, whose Python --runtimes names")
    else:
        model = this.model / MODEL_FILE
        found += [
            _plan("OpenVINO int8", call.runtimes, "openvino_int8.py", os.environ, model),
            _plan("ONNX Runtime int8", call.runtimes, "onnx_int8.py", os.environ, layers()),
        ]
    for way, what in (
        ("tile", "Keras predict, tile by tile"),
        ("batch", "Keras float32, batches of tiles"),
        ("unet", "pixel U-Net's layers in Keras"),
    ):
        found.append(_plan(what, sys.executable, "keras_networks.py", this.environ, way))
    if call.torch is not None:
        found.append(_plan("pixel U-Net in PyTorch", call.torch, "unet_torch.py", os.environ))
    return found


def layers() -> str:
    """Return the layers of the shipped network as JSON."""
    from scopewatch_training.cli.shipped import NETWORK  # noqa: PLC0415 - loads TensorFlow
    from scopewatch_training.network.network_spec import (  # noqa: PLC0415
        NetworkSpec,
        plan_layers,
    )

    spec = NetworkSpec(tile_px=32, **NETWORK)
    return json.dumps(
        {
            "patch_px": spec.patch_px,
            "layers": [
                {"kernel": each.kernel, "stride": each.stride, "channels": each.channels}
                for each in plan_layers(spec)
            ],
        }
    )


def _plan(
    name: str, python: object, script: str, environ: Mapping[str, str], *arguments: object
) -> Plan:
    command = (str(python), str(CONTENDERS / script), *map(str, arguments))
    # Before Keras and TensorFlow can start threads of their own.
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    return Plan(name=name, command=command, environ={**environ, **quiet})


if __name__ == "__main__":
    sys.exit(main())
