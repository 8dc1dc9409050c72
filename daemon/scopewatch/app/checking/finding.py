"""The outcome of one check."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The outcome of one check.

    Parameters
    ----------
    advice
        It works, but something deserves attention.
    lasting
        It failed, and would keep the daemon from starting; what else fails is waited for.
    """

    subject: str
    text: str
    failed: bool = False
    advice: bool = False
    lasting: bool = False
