"""`tune`: Bayesian optimisation of the settings, on inner folds of the training runs alone.

Trials live in a database, so that a search that was killed goes on, and several processes or
machines may work on one storage URL at once. Each trial trains on the inner folds one after the
other; after every fold it is pruned when it is worse than half of the trials before it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.search_storage import open_storage
from scopewatch_training.network.stages import Stages
from scopewatch_training.network.train_loop import Training, train

WIDTHS = (32, 48, 64, 96)
Folds = Sequence[tuple[list[int], list[int]]]
FoldLosses = Callable[[FitSettings, str], Iterator[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search for settings.

    Parameters
    ----------
    base
        Settings that are not searched; they are the first trial.
    storage
        Database URL that all workers share.
    study
        Name of the search in it; another data set must have another name.
    trials
        How many finished trials end the search, those of other workers included.
    with_context
        Whether isolated tiles are tried, too.
    folds
        Number of inner folds of a trial.
    """

    base: FitSettings
    storage: str
    study: str
    trials: int
    with_context: bool
    folds: int


def inner_loss(
    frames: Sequence[TrainingFrame],
    fold: tuple[list[int], list[int]],
    settings: FitSettings,
    clip: float,
    stages: Stages,
    title: str,
) -> float:
    """Train on the frames of one inner fold; return the loss on those that it holds out."""
    train_indices, test_indices = fold
    training = Training(
        settings=settings,
        frames=[frames[index] for index in train_indices],
        held_out=[frames[index] for index in test_indices],
        clip=clip,
        last_step=settings.steps,
        checkpoint=None,
        fingerprint="",
    )
    with stages.training(title, settings.steps) as listener:
        loss = train(training, listener).held_out_loss
    return float("inf") if loss is None else loss


def losses_here(
    frames: Sequence[TrainingFrame], folds: Folds, clip: float, stages: Stages
) -> FoldLosses:
    """Return what trains the inner folds of a trial in this process, one after the other."""

    def losses(settings: FitSettings, title: str) -> Iterator[float]:
        for number, fold in enumerate(folds, start=1):
            name = f"{title}, fold {number} of {len(folds)}"
            yield inner_loss(frames, fold, settings, clip, stages, name)

    return losses


def search_settings(search: Search, fold_losses: FoldLosses, stages: Stages) -> optuna.Study:
    """Run trials until the search has enough.

    Parameters
    ----------
    fold_losses
        Yields the loss of each inner fold of a trial in their order, as long as it is asked.

    Returns
    -------
    The study; `best_settings` reads it.
    """
    study = optuna.create_study(
        study_name=search.study,
        storage=open_storage(search.storage),
        sampler=optuna.samplers.TPESampler(seed=search.base.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        load_if_exists=True,
    )
    done = finished(study)
    if study.trials:
        stages.report(f"going on after {done} of {search.trials} trials in {search.storage}")
    else:
        study.enqueue_trial(_parameters(search))

    def objective(trial: optuna.Trial) -> float:
        settings = suggest(trial, search)
        losses: list[float] = []
        for number, loss in enumerate(fold_losses(settings, f"trial {trial.number}"), start=1):
            losses.append(loss)
            trial.report(sum(losses) / len(losses), number)
            if number < search.folds and trial.should_prune():
                raise optuna.TrialPruned
        return sum(losses) / len(losses)

    if done < search.trials:
        study.optimize(objective, callbacks=[_stop_after(search.trials)])
    return study


def suggest(trial: optuna.Trial, search: Search) -> FitSettings:
    """Draw the settings of a trial."""
    base = search.base
    context = base.network.context
    if search.with_context:
        context = "none" if trial.suggest_categorical("isolated", [False, True]) else "full"
    network = replace(
        base.network,
        width=trial.suggest_categorical("width", WIDTHS),
        depth=trial.suggest_int("depth", 0, 5),
        context=context,
    )
    settings = replace(
        base,
        network=network,
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 2e-2, log=True),
        weight_decay=trial.suggest_float("weight_decay", 1e-4, 1e-1, log=True),
        augmentation=trial.suggest_float("augmentation", 0.0, 1.5),
    )
    if network.learns == "brightness":
        # There is one loss, so that no weights are searched.
        return settings
    return replace(
        settings,
        positive_weight=trial.suggest_float("positive_weight", 0.5, 4.0, log=True),
        focal_gamma=trial.suggest_float("focal_gamma", 0.0, 2.0),
        area_weight=trial.suggest_float("area_weight", 0.1, 4.0, log=True),
    )


def best_settings(study: optuna.Study, search: Search) -> FitSettings:
    """Return the settings of the best trial.

    Raises
    ------
    ConfigError
        When no trial was finished.
    """
    if not finished(study):
        raise ConfigError(
            complaint(
                "search has no finished trial",
                where=search.storage,
                do="run tune again until a trial is done",
            )
        )
    fixed = optuna.trial.FixedTrial(study.best_trial.params)
    return suggest(fixed, search)  # type: ignore[arg-type]


def finished(study: optuna.Study) -> int:
    """Count the trials that ran to their end or were pruned."""
    over = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return sum(trial.state in over for trial in study.trials)


def draw_history(study: optuna.Study, path: Path) -> None:
    """Draw the loss of every trial and the best so far."""
    done = [(t.number, t.value) for t in study.trials if t.value is not None]
    numbers, losses = [number for number, _ in done], [loss for _, loss in done]
    figure, axes = _figure()
    axes.plot(numbers, losses, "o", color="0.6", label="trial")
    axes.plot(numbers, list(accumulate(losses, min)), color="tab:green", label="best so far")
    axes.set(xlabel="trial", ylabel="loss on held-out runs", title="History of the search")
    axes.legend()
    figure.savefig(path, dpi=120)


def draw_importance(study: optuna.Study, path: Path) -> None:
    """Draw how much each setting decided (fANOVA; Hutter et al., ICML 2014)."""
    importance = optuna.importance.get_param_importances(study)
    figure, axes = _figure()
    names = list(importance)[::-1]
    axes.barh(names, [importance[name] for name in names], color="tab:green")
    axes.set(xlabel="share of the loss's variance", title="What decided")
    figure.savefig(path, dpi=120)


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, 4), layout="constrained")
    return figure, figure.subplots()


def _parameters(search: Search) -> dict[str, object]:
    """Return the searched values of the base settings."""
    base = search.base
    values: dict[str, object] = {
        "width": base.network.width if base.network.width in WIDTHS else 64,
        "depth": base.network.depth,
        "learning_rate": base.learning_rate,
        "weight_decay": base.weight_decay,
        "augmentation": base.augmentation,
        "positive_weight": base.positive_weight,
        "focal_gamma": base.focal_gamma,
        "area_weight": base.area_weight,
    }
    return values | ({"isolated": base.network.context == "none"} if search.with_context else {})


def _stop_after(trials: int) -> Callable[[optuna.Study, optuna.trial.FrozenTrial], None]:
    def stop(study: optuna.Study, _trial: optuna.trial.FrozenTrial) -> None:
        if finished(study) >= trials:
            study.stop()

    return stop
