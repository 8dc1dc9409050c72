"""Metrics of tile scores and of efficiencies; docs/method.md lists the references."""
