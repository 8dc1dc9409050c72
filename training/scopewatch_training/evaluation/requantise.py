"""`quantise`: makes the int8 network of a bundle again from its float weights."""

from hashlib import sha256
from pathlib import Path

from scopewatch.core.errors import ModelError, complaint
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.bundle_writer import REPORT_FOLDER, refuse_foreign, write_bundle
from scopewatch_training.bundle.cross_fit import label_scores, probabilities
from scopewatch_training.bundle.fit_record import FLOAT_FILE, SCORER_BUDGET_MB, read_fit
from scopewatch_training.bundle.gate import Agreement, compare_scores, refuse_disagreement
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.evaluate import read_label_rule
from scopewatch_training.network.calibrate import Platt
from scopewatch_training.network.ensemble import build_untrained
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.frames import frames_of, score_frames
from scopewatch_training.network.quantise import convert_int8, load_float
from scopewatch_training.network.stages import Stages
from scopewatch_training.network.train_loop import predict_logits


def requantise(
    folder: Path, dataset: Dataset, out: Path, *, threads: int, stages: Stages
) -> Agreement:
    """Quantise a bundle's float network and write a new bundle.

    Ranges are set by the training runs; the gate compares on all runs that were not trained on,
    or on the training runs where the data set holds no others.

    Raises
    ------
    ModelError
        When the bundle holds no float weights, or the int8 network differs too much.
    """
    bundle = load_bundle(folder)
    refuse_foreign(out)
    weights = folder / REPORT_FOLDER / FLOAT_FILE
    if not weights.is_file():
        raise ModelError(
            complaint(
                "bundle holds no float weights",
                where=weights,
                do="fit it again, or give a bundle that still has its report folder",
            )
        )
    settings = FitSettings.from_json(read_fit(folder)["settings"])
    rule = read_label_rule(bundle)
    network = build_untrained(settings)
    load_float(network, weights)
    trained_on = [run for run in dataset.runs() if run in bundle.card.trained_on]
    others = [run for run in dataset.runs() if run not in bundle.card.trained_on]
    training = frames_of(dataset, dataset.of_runs(trained_on), rule.thresholds)
    stages.say("quantising")
    model = convert_int8(network, training, settings.labels.tile_px)
    card = bundle.card.model_copy(update={"model_sha256": sha256(model).hexdigest()})
    fresh = Bundle(folder=out, card=card, model=model)
    scorer = TFLiteScorer(fresh, threads=threads, memory_budget_mb=SCORER_BUDGET_MB)
    frames = frames_of(dataset, dataset.of_runs(others or trained_on), rule.thresholds)
    stages.say(f"comparing with float32 on {', '.join(others or trained_on)}")
    exact = label_scores(frames, predict_logits(network, frames), settings)
    agreement = compare_scores(
        [probabilities(frame, Platt(slope=1.0, intercept=0.0)) for frame in exact],
        score_frames(scorer, frames, settings.labels),
        card.threshold,
    )
    where = f"runs {', '.join(others or trained_on)}"
    refuse_disagreement(agreement, where, network, settings.network, model, frames[0])
    report = {path.name: path.read_bytes() for path in (folder / REPORT_FOLDER).iterdir()}
    write_bundle(out, model, card)
    for name, content in report.items():
        (out / REPORT_FOLDER / name).write_bytes(content)
    return agreement
