"""The command line of soaks that compare times over rounds, and the load of the machine."""

import argparse
import os
from dataclasses import dataclass

# Permitted ratio of the microscope's times.
MOST = 1.05
RESAMPLED = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The options of the call, and the load before the run."""

    rounds: int
    count: int
    load: float
    asked: argparse.Namespace

    def print_machine(self) -> None:
        """Print the machine and its load."""
        print(f"on {os.cpu_count()} cores, load before the run {self.load:.2f}")


def read_call(
    parser: argparse.ArgumentParser,
    *,
    rounds: int,
    short: int,
    short_help: str,
    of: str,
    count: int,
) -> Call:
    """Read the command line.

    Parameters
    ----------
    parser
        Has the soak's description and its own options; the common ones are added here.
    rounds, short
        Number of rounds, and number with --short.
    of, count
        What a round is made of (frames, images), and how many of them by default.
    """
    parser.add_argument("--short", action="store_true", help=short_help)
    parser.add_argument("--rounds", type=int)
    parser.add_argument(f"--{of}", type=int, default=count)
    call = parser.parse_args()
    return Call(
        rounds=call.rounds or (short if call.short else rounds),
        count=getattr(call, of),
        load=os.getloadavg()[0],
        asked=call,
    )
