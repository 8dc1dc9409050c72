"""What a model is worth: cross-validation, baselines, figures and reports."""
