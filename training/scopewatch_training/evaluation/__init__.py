"""Evaluation of models: cross-validation, baselines, figures and reports."""
