"""Thresholds: the core's, since the daemon binarises the fluorescence of the final day alike."""

from scopewatch.core.binarise import Measured, Thresholds, fit_thresholds, has_signal

__all__ = ["Measured", "Thresholds", "fit_thresholds", "has_signal"]
