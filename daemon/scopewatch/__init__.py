"""scopewatch: a monitor for label-free cardiomyocyte differentiation."""

__version__ = "0.2.0"
