"""An order that cannot be carried out as things are."""

from scopewatch.core.errors import SourceError


class OrderRefusedError(SourceError):
    """An order cannot be carried out as things are."""
