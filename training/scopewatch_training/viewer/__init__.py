"""The napari plugin: a prepared data set as layers, and corrections painted on them.

Nothing here imports napari: layers are plain tuples, as npe2 has them.
"""
