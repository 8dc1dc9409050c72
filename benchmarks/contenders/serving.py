"""The side of a contender: works on request, and answers with its CPU time.

Imports nothing but the standard library, since contenders run in different environments.
"""

import json
import os
import sys
import time
from collections.abc import Callable

SIDE_PX = 2048


def serve(turn: Callable[[], object], *, share: float, version: str) -> None:
    """Call `turn` for each line of the input.

    Parameters
    ----------
    share
        How much of a frame of 2048 x 2048 px one turn works on.
    version
        Of the library that does the work.
    """
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print(json.dumps({"share": share, "version": version}), file=answers, flush=True)
    for _ in sys.stdin:
        started_s = time.process_time()
        turn()
        cpu_s = time.process_time() - started_s
        print(json.dumps({"cpu_s": cpu_s}), file=answers, flush=True)
