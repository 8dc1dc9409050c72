#!/usr/bin/env bash
# pymmcore 12.5.1.75.0 with the demo devices and no autofocus device set: `enableContinuousFocus`
# says that the autofocus device is not defined, `fullFocus` and `incrementalFocus` on the same core
# give a bare "Error (code 43)". A program that shows the core's text to its user has to translate
# the number.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'pymmcore==12.5.1.75.0' 'mm-test-adapters==75.20261014.post1'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import mm_test_adapters
import pymmcore

core = pymmcore.CMMCore()
core.setDeviceAdapterSearchPaths([str(mm_test_adapters.device_adapter_path())])
core.loadDevice("Camera", "DemoCamera", "DCam")
core.loadDevice("Z", "DemoCamera", "DStage")
core.initializeAllDevices()
core.setCameraDevice("Camera")
core.setFocusDevice("Z")
assert core.getAutoFocusDevice() == ""

texts = {}
for name, call in {
    "enableContinuousFocus": lambda: core.enableContinuousFocus(True),
    "fullFocus": core.fullFocus,
    "incrementalFocus": core.incrementalFocus,
}.items():
    try:
        call()
    except RuntimeError as error:
        texts[name] = str(error)
for name, text in texts.items():
    print(f"{name}: {text}")
assert "not defined" in texts["enableContinuousFocus"].lower()
assert all("focus" not in texts[name].lower() for name in ("fullFocus", "incrementalFocus"))
assert all("43" in texts[name] for name in ("fullFocus", "incrementalFocus"))
PYTHON
