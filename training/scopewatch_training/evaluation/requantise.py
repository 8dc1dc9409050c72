"""`quantise`: makes the int8 network of a bundle from its float weights once more."""

from hashlib import sha256
from pathlib import Path

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.model_card import ModelCard
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.agreement import Agreement
from scopewatch_training.bundle.bundle_writer import (
    REPORT_FOLDER,
    read_report,
    refuse_foreign,
    write_bundle,
)
from scopewatch_training.bundle.fit_record import FLOAT_FILE, SCORER_BUDGET_MB, read_fit
from scopewatch_training.bundle.float_scores import score_float
from scopewatch_training.bundle.quantised import quantise
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.evaluate import read_label_rule
from scopewatch_training.network.ensemble import build_untrained
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.frames import frames_of
from scopewatch_training.network.quantise import load_float
from scopewatch_training.network.stages import Stages


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
    training = frames_of(dataset, dataset.of_runs(trained_on), rule.thresholds, rule.labels)
    scored_on = dataset.of_runs(others or trained_on)
    frames = frames_of(dataset, scored_on, rule.thresholds, rule.labels)

    def open_scorer(model: bytes) -> TFLiteScorer:
        fresh = Bundle(folder=out, card=_card_of(bundle, model), model=model)
        return TFLiteScorer(fresh, threads=threads, memory_budget_mb=SCORER_BUDGET_MB)

    stages.report(f"quantising, and comparing with float32 on {', '.join(others or trained_on)}")
    quantised = quantise(
        network,
        settings,
        training=training,
        frames=frames,
        exact=score_float(network, frames, settings),
        open_scorer=open_scorer,
    )
    agreement = quantised.pass_gate(bundle.card.threshold, quantised.where)
    card = _card_of(bundle, quantised.model)
    write_bundle(out, quantised.model, card, read_report(folder))
    return agreement


def _card_of(bundle: Bundle, model: bytes) -> ModelCard:
    """Return the card of a bundle with the hash of another network."""
    return bundle.card.model_copy(update={"model_sha256": sha256(model).hexdigest()})
