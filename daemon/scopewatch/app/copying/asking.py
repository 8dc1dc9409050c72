"""Questions to a place of copies, which may take a connection and never answer."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from scopewatch.app.copying.place import unusable
from scopewatch.core.errors import ScopewatchError

_Answer = TypeVar("_Answer")


def ask_within(seconds: float, url: str, question: Callable[[], _Answer]) -> _Answer:
    """Ask in a thread of its own, and return the answer.

    A question that takes longer is left: its thread ends by the time limits of the libraries.

    Raises
    ------
    ScopewatchError
        What the question raises.
    StoreError
        There is no answer in time, or the question raises anything else, whose words are not
        repeated.
    """
    answer: Future[_Answer] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except Exception as error:  # noqa: BLE001
            # Raised again for whoever waits.
            answer.set_exception(error)

    threading.Thread(target=ask, name="picture copies", daemon=True).start()
    try:
        error = answer.exception(seconds)
    except TimeoutError:
        raise unusable(url, f"no answer within {seconds:g} s") from None
    if error is None or isinstance(error, ScopewatchError):
        return answer.result()
    raise unusable(url, type(error).__name__) from error
