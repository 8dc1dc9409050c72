"""Delays between attempts: each is twice the one before, up to a limit."""


def doubling_s(failures: int, *, first_s: float, most_s: float) -> float:
    """Return the seconds to wait after one more failure.

    Parameters
    ----------
    failures
        How many attempts in a row failed before it, from 0.
    first_s, most_s
        Shortest and longest delay in seconds.
    """
    # The exponent is capped as well: 2.0**1024 overflows, and a share may be away for weeks.
    return min(first_s * 2.0 ** min(failures, 30), most_s)
