"""scopewatch_training: from phase and fluorescence pairs to a model bundle."""
