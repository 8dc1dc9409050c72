"""Frames from NDTiff data sets, also while they grow."""
