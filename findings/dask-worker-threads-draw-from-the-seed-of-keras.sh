#!/usr/bin/env bash
# distributed 2026.8.0 and Keras 3.15.1: a worker process of Dask draws from Python's global `random` in
# threads of its own, and Keras takes the seeds of a layer's first weights from there when the layer
# is made. So keras.utils.set_random_seed() gives other weights in a task than outside, if a second
# or two lie between the two calls (data are read, an earlier layer is built). Initialisers with
# seeds of their own are not touched.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'distributed==2026.8.0' 'dask==2026.8.0' 'keras==3.15.1' 'numpy==2.4.6' 'jax[cpu]==0.10.2'
cd "$scratch"
cat >weights.py <<'PYTHON'
import os
import time

os.environ["KERAS_BACKEND"] = "jax"

PAUSE_S = 6


def first_weights(seed_of_its_own: bool) -> float:
    import keras

    keras.utils.set_random_seed(3)
    time.sleep(PAUSE_S)
    kernel = keras.initializers.GlorotUniform(seed=7 if seed_of_its_own else None)
    return float(kernel((2, 2))[0, 0])


def undisturbed() -> bool:
    import random

    random.seed(1)
    before = random.getstate()
    time.sleep(PAUSE_S)
    return random.getstate() == before
PYTHON
cat >compare.py <<'PYTHON'
from distributed import Client, LocalCluster

from weights import first_weights, undisturbed

if __name__ == "__main__":
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": True}
    here = [first_weights(False), first_weights(False), first_weights(True)]
    assert here[0] == here[1]
    assert undisturbed()
    with LocalCluster(**options, dashboard_address=None) as cluster, Client(cluster) as client:

        def ask(function, *words):
            return client.submit(function, *words, pure=False).result()

        state_kept = ask(undisturbed)
        there = [ask(first_weights, False), ask(first_weights, True)]
    print(f"state of `random` untouched in a task that sleeps: {state_kept}")
    print(f"first weight after set_random_seed(3): {here[0]:.4f} here, {there[0]:.4f} in a task")
    print(f"with a seed of its own: {here[2]:.4f} here, {there[1]:.4f} in a task")
    assert not state_kept
    assert there[0] != here[0]
    assert there[1] == here[2]
PYTHON
venv/bin/python compare.py
