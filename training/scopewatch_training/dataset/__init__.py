"""From paired runs to a data set: manifest, registration, planes on disk, QC."""
