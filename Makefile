# Every target makes what it needs: a virtual environment in .venv with the tested versions.
PYTHON ?= python3
VENV ?= .venv
DEMO_ARGS ?=
SOAK_ARGS ?=
TRY_ARGS ?=
BASELINE ?=
BENCH_ARGS ?=
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SOURCES = daemon simulator training tests benchmarks examples

# Another Python that is supported, for the tests of the daemon alone.
OTHER_PYTHON ?= python3.13

.PHONY: help demo test test-slow test-daemon check bench bench-unet bench-history bench-whole-run soak try-service model messages lock lock-hashes audit wheel release clean
help:
	@echo "make demo    a simulated ten-day differentiation, monitored live (DEMO_ARGS=--exit-when-done for no waiting)"
	@echo "make test    all tests"
	@echo "make test-slow the tests that take minutes each: searches and cross-validations, killed and repeated"
	@echo "make test-daemon unit, contract and property tests without training, on OTHER_PYTHON (python3.13)"
	@echo "make check   formatting, lint, types, layers"
	@echo "make bench   cost of a frame as ratios measured side by side: BASELINE=COMMIT, other runtimes, Keras (BENCH_ARGS='--pairs 5' for a short one)"
	@echo "make bench-unet the same for a pixel U-Net in PyTorch, which it installs (gigabytes)"
	@echo "make bench-history 96 wells x 500 time points: commits, steps of rules, SIGTERM (BASELINE=COMMIT for two builds);"
	@echo "             then a million frames of many runs: pages, status, export, size (FRAMES=5000000)"
	@echo "make bench-whole-run 14 days x 96 wells through the daemon: memory, descriptors, nothing lost, SIGTERM"
	@echo "make soak    hours of faults: kills, lost events, full disks, broken input (SOAK_ARGS=--short for minutes)"
	@echo "make try-service the unit under a real systemd, in a virtual machine (root, QEMU; TRY_ARGS=--only start)"
	@echo "make model   train the shipped bundle again from its seeds"
	@echo "make messages compile the catalogues of messages (needs msgfmt)"
	@echo "make lock    write constraints.txt again"
	@echo "make lock-hashes write requirements.lock again: what a service is installed from"
	@echo "make audit   look for known holes in requirements.lock; fails when they cannot be looked up"
	@echo "make wheel   the wheel alone, into dist/"
	@echo "make release wheel, source, bill of materials (CycloneDX) and wheelhouses for Linux and Windows into dist/"
	@echo "make clean   remove everything the other targets made"

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "scopewatch needs Python 3.11 or newer: set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

# What the daemon and the demo need: no TensorFlow.
$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing scopewatch with its demo into $(VENV) (about a minute)"
	$(PIP) -e '.[demo]'
	touch $@

# Training, tests and tools on top.
$(VENV)/.test: $(VENV)/.demo
	@echo "installing training and test tools into $(VENV) (about two minutes)"
	$(PIP) -e '.[test]'
	touch $@

# Without TensorFlow, which comes late to a new Python.
.venv-other/.ready: pyproject.toml constraints.txt
	$(OTHER_PYTHON) -m venv .venv-other
	.venv-other/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e '.[test-daemon]'
	touch $@

# tflite-runtime needs numpy 1: an environment of its own, for the test that compares the runtimes.
.venv-tflite/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-tflite
	.venv-tflite/bin/python -m pip install --quiet --disable-pip-version-check 'numpy<2' \
		tflite-runtime==2.14.0 pydantic pyyaml 'scipy<1.16' pillow structlog
	touch $@

# Other runtimes for int8 networks, which the benchmark compares with.
.venv-runtimes/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-runtimes
	.venv-runtimes/bin/python -m pip install --quiet --disable-pip-version-check \
		'numpy>=2,<3' openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2
	touch $@

# PyTorch is large, and wanted by one comparison alone.
.venv-unet/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-unet
	.venv-unet/bin/python -m pip install --quiet --disable-pip-version-check 'numpy>=2,<3' torch==2.14.1
	touch $@

# The viewer that people open exports and data sets with is large: for the tests that ask it.
.venv-napari/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-napari
	.venv-napari/bin/python -m pip install --quiet --disable-pip-version-check \
		napari==0.9.2 napari-ome-zarr==0.10.0 -e '.[napari]'
	touch $@

# axe-core, which judges the accessibility of the pages in a browser test.
.axe/.ready:
	mkdir -p .axe
	cd .axe && npm pack --silent axe-core@4.14.1 && tar xzf axe-core-4.14.1.tgz package/axe.min.js
	touch $@

demo: $(VENV)/.demo
	$(VENV)/bin/scopewatch demo $(DEMO_ARGS)

test: $(VENV)/.test
	$(VENV)/bin/python -m pytest $(TEST_ARGS)

test-slow: $(VENV)/.test
	$(VENV)/bin/python -m pytest -m slow $(TEST_ARGS)

test-daemon: .venv-other/.ready
	.venv-other/bin/python -m pytest -n 2 tests/unit tests/contract tests/property \
		--ignore-glob 'tests/unit/training*' \
		--ignore-glob 'tests/property/test_training_*' $(TEST_ARGS)

check: $(VENV)/.test
	$(VENV)/bin/ruff check $(SOURCES)
	$(VENV)/bin/ruff format --check $(SOURCES)
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.test .venv-runtimes/.ready
	$(VENV)/bin/python -m benchmarks.score_frames
	$(VENV)/bin/python -m benchmarks.paired.bench --runtimes .venv-runtimes/bin/python \
		$(if $(BASELINE),--baseline $(BASELINE)) $(BENCH_ARGS)

bench-unet: $(VENV)/.test .venv-unet/.ready
	$(VENV)/bin/python -m benchmarks.paired.bench --only invoke --torch .venv-unet/bin/python $(BENCH_ARGS)

bench-history: $(VENV)/.test
	$(VENV)/bin/python -m benchmarks.history.measure $(if $(BASELINE),--baseline $(BASELINE))
	$(VENV)/bin/python -m benchmarks.history.many_runs $(if $(FRAMES),--frames $(FRAMES))

# Some hours, at 20 to 30 ms of the processor a frame.
bench-whole-run: $(VENV)/.test
	$(VENV)/bin/python -m benchmarks.history.whole_run

# Every soak is one script that ends with its figures and exits 1 when a promise was broken.
soak: $(VENV)/.test
	for script in benchmarks/soak/soak_*.py; do \
		echo "== $$script"; $(VENV)/bin/python $$script $(SOAK_ARGS) || exit 1; done
	@echo "== benchmarks/live_writers.py"
	$(VENV)/bin/python -m benchmarks.live_writers $(SOAK_ARGS)

# Boots a Debian of its own in QEMU, never systemd on this machine.
try-service: $(VENV)/.demo
	$(VENV)/bin/python benchmarks/service/try_service.py $(TRY_ARGS)

model: $(VENV)/.test
	$(VENV)/bin/python -m scopewatch_training.cli.shipped

# Needs msgfmt of GNU gettext; the compiled catalogues are committed, so that nothing else does.
messages:
	for source in daemon/scopewatch/messages/languages/*/LC_MESSAGES/*.po; do \
		msgfmt --check-format -o $${source%.po}.mo $$source || exit 1; done

lock: $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet pip-tools
	$(VENV)/bin/pip-compile --quiet --extra test --strip-extras --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links --output-file constraints.txt pyproject.toml
	sed -i '/^scopewatch /d' constraints.txt  # the extras name the project itself

# Tools of a release have environments of their own: theirs are not our dependencies.
build/tools-%/.ready:
	$(PYTHON) -m venv build/tools-$*
	build/tools-$*/bin/python -m pip install --quiet $(TOOLS_$*)
	touch $@
TOOLS_lock = pip-tools
TOOLS_audit = pip-audit
TOOLS_release = build cyclonedx-bom

lock-hashes: build/tools-lock/.ready
	build/tools-lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host -c constraints.txt --output-file requirements.lock pyproject.toml

# pip-audit exits 0 when every package was skipped: its report is judged, not its status.
audit: build/tools-audit/.ready
	rm -f build/audit.json
	-build/tools-audit/bin/pip-audit -r requirements.lock --require-hashes --disable-pip \
		--format json --output build/audit.json
	$(PYTHON) release/audit.py build/audit.json requirements.lock

wheel:
	rm -f dist/scopewatch-*.whl
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

# The bill lists what is really installed by the lock, in an environment made for that.
release: build/tools-release/.ready
	rm -rf dist build/installed
	build/tools-release/bin/python -m build --outdir dist .
	$(PYTHON) -m venv --without-pip build/installed
	build/tools-release/bin/python -m pip --python build/installed/bin/python install --quiet \
		--require-hashes -r requirements.lock
	build/tools-release/bin/python -m pip --python build/installed/bin/python install --quiet \
		--no-deps dist/scopewatch-*.whl
	build/installed/bin/scopewatch --version
	build/tools-release/bin/cyclonedx-py environment build/installed/bin/python \
		--pyproject pyproject.toml --output-reproducible \
		--output-file "$$(ls dist/*.whl | sed 's/-py3.*//').cdx.json"
	$(PYTHON) release/wheelhouse.py dist

clean:
	rm -rf $(VENV) .venv-* .axe build dist scopewatch-demo .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
