"""`quantise`: makes the int8 network of a bundle from its float weights once more."""

from hashlib import sha256
from pathlib import Path

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.model_card.card import FineStain, ModelCard
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.check_frames import CHECK_NAME
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.agreement import Agreement
from scopewatch_training.bundle.bundle_writer import (
    REPORT_FOLDER,
    read_report,
    refuse_foreign,
    write_bundle,
)
from scopewatch_training.bundle.check_writer import choose_check
from scopewatch_training.bundle.fine_weights import learn_fine_stain, raw_stain
from scopewatch_training.bundle.fit_record import FLOAT_FILE, SCORER_BUDGET_MB, read_fit
from scopewatch_training.bundle.float_scores import score_float
from scopewatch_training.bundle.known_frames import find_training_runs
from scopewatch_training.bundle.label_rule import read_label_rule
from scopewatch_training.bundle.quantised import quantise
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.network.architecture import has_area_head
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.frames import frames_of
from scopewatch_training.network.quantise import load_float
from scopewatch_training.network.stages import Stages


def requantise(
    folder: Path,
    dataset: Dataset,
    out: Path,
    *,
    keep_tiles: bool = False,
    threads: int,
    stages: Stages,
) -> Agreement:
    """Quantise a bundle's float network and write a new bundle.

    Ranges are set by the training runs; the gate compares on all runs that were not trained on,
    or on the training runs where the data set holds no others.

    Parameters
    ----------
    keep_tiles
        Leave all that gives the scores of tiles bit for bit, and add the finer stain that the
        bundle lacks. Otherwise weights of 8 bits, as earlier versions wrote, become narrow.

    Raises
    ------
    ModelError
        When the bundle holds no float weights, or the int8 network differs too much, or has a
        finer stain already where tiles are kept.
    ConfigError
        When the data set is not the one that the bundle was trained on.
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
    network = load_float(settings, weights)
    if keep_tiles and not has_area_head(network):
        raise ModelError(
            complaint(
                "float weights hold no area head, from which a finer stain would come",
                where=weights,
                got="networks that were joined by an earlier version",
                do="fit the bundle again",
            )
        )
    trained_on = find_training_runs(bundle, dataset)
    others = [run for run in dataset.runs() if run not in bundle.card.trained_on]
    training = frames_of(dataset, dataset.of_runs(trained_on), rule.thresholds, rule.labels)
    scored_on = dataset.of_runs(others or trained_on)
    frames = frames_of(dataset, scored_on, rule.thresholds, rule.labels)

    stain = raw_stain(settings.network) if has_area_head(network) else None

    def open_scorer(model: bytes) -> TFLiteScorer:
        fresh = Bundle(folder=out, card=_card_of(bundle, model, stain), model=model)
        return TFLiteScorer(fresh, threads=threads, memory_budget_mb=SCORER_BUDGET_MB)

    stages.report(f"quantising, and comparing with float32 on {', '.join(others or trained_on)}")
    quantised = quantise(
        network,
        settings,
        training=training,
        frames=frames,
        exact=score_float(network, frames, settings),
        open_scorer=open_scorer,
        tiles_of=bundle.model if keep_tiles else None,
    )
    agreement = quantised.pass_gate(bundle.card.threshold, quantised.where)
    if stain is not None:
        stain = learn_fine_stain(open_scorer(quantised.model), settings.network, training)
    card = _card_of(bundle, quantised.model, stain)
    report = read_report(folder) | {
        CHECK_NAME: choose_check(open_scorer(quantised.model), training)
    }
    write_bundle(out, quantised.model, card, report)
    return agreement


def _card_of(bundle: Bundle, model: bytes, stain: FineStain | None) -> ModelCard:
    """Return the card of a bundle with the hash of another network and its finer stain."""
    digest = sha256(model).hexdigest()
    return bundle.card.model_copy(update={"model_sha256": digest, "fine_stain": stain})
