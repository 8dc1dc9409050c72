"""The recording of frames: load, decide by `monitoring`, save, queue messages."""
