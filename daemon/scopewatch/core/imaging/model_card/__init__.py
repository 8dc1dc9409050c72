"""The model card: everything the daemon must know of a model besides its weights.

`card.yaml` lies beside `model.tflite`. Training writes it through these models and the daemon
reads it through them, strictly: an unknown key or a missing one is refused.
"""
