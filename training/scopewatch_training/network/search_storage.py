"""The database of a search, which several workers may open at the same moment."""

import time
import warnings
from collections.abc import Callable

import optuna
from sqlalchemy.exc import SQLAlchemyError

from scopewatch.core.errors import ConfigError, complaint

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)


def open_storage(
    url: str,
    *,
    connect: Callable[[str], optuna.storages.RDBStorage] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> optuna.storages.RDBStorage:
    """Open the database of a search, making its tables where there are none.

    Where two workers make the tables at once, one fails and finds the tables on its next try.

    Raises
    ------
    ConfigError
        When it still cannot be opened after some seconds.
    """
    connect = connect or _connect
    for pause_s in PAUSES_S:
        try:
            return connect(url)
        except SQLAlchemyError:
            pause(pause_s)
    try:
        return connect(url)
    except SQLAlchemyError as error:
        raise ConfigError(
            complaint(
                "search's database cannot be opened",
                where=url,
                got=str(error).splitlines()[0],
                do="check the URL and that the database can be written, or give another --storage",
            )
        ) from error


def _connect(url: str) -> optuna.storages.RDBStorage:
    with warnings.catch_warnings():
        # Optuna calls heartbeats experimental since 2021. With them the trial of a killed worker
        # is recognised and tried again.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.storages.RDBStorage(
            url,
            heartbeat_interval=30,
            grace_period=120,
            failed_trial_callback=optuna.storages.RetryFailedTrialCallback(max_retry=3),
        )
