"""What TensorFlow runs on: threads, determinism, a GPU where there is one."""

import os

import keras
import tensorflow as tf


def use_device(threads: int) -> str:
    """Set TensorFlow up for this process and say in words what it runs on.

    Must be called before anything is computed. Operations are made deterministic, so that a
    seed gives the same network again on the same machine.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.backend.set_image_data_format("channels_last")
    tf.config.experimental.enable_op_determinism()
    graphics = tf.config.list_physical_devices("GPU")
    for card in graphics:
        # Otherwise TensorFlow takes all of its memory at once, also from other users.
        tf.config.experimental.set_memory_growth(card, enable=True)
    if graphics:
        return f"GPU {tf.config.experimental.get_device_details(graphics[0]).get('device_name')}"
    return f"CPU, {threads} of {os.cpu_count()} threads"
