# Every target makes what it needs: a virtual environment in .venv with the tested versions.
PYTHON ?= python3
VENV ?= .venv
DEMO_ARGS ?=
SOAK_ARGS ?=
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SOURCES = daemon training tests benchmarks

.PHONY: help demo test test-slow check bench soak model messages lock clean
help:
	@echo "make demo    a simulated ten-day differentiation, monitored live (DEMO_ARGS=--exit-when-done for no waiting)"
	@echo "make test    all tests"
	@echo "make test-slow the tests that take minutes each: searches and cross-validations, killed and repeated"
	@echo "make check   formatting, lint, types, layers"
	@echo "make bench   speed and memory, as ratios measured side by side"
	@echo "make soak    hours of faults: kills, lost events, full disks, broken input (SOAK_ARGS=--short for minutes)"
	@echo "make model   train the shipped bundle again from its seeds"
	@echo "make messages compile the catalogues of messages (needs msgfmt)"
	@echo "make lock    write constraints.txt anew"
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

# tflite-runtime needs numpy 1: an environment of its own, for the test that compares the runtimes.
.venv-tflite/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-tflite
	.venv-tflite/bin/python -m pip install --quiet --disable-pip-version-check 'numpy<2' \
		tflite-runtime==2.14.0 pydantic pyyaml 'scipy<1.16' pillow
	touch $@

demo: $(VENV)/.demo
	$(VENV)/bin/scopewatch demo $(DEMO_ARGS)

test: $(VENV)/.test
	$(VENV)/bin/python -m pytest $(TEST_ARGS)

test-slow: $(VENV)/.test
	$(VENV)/bin/python -m pytest -m slow $(TEST_ARGS)

check: $(VENV)/.test
	$(VENV)/bin/ruff check $(SOURCES)
	$(VENV)/bin/ruff format --check $(SOURCES)
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.test
	$(VENV)/bin/python benchmarks/score_frames.py

# Every soak is one script that ends with its figures and exits 1 when a promise was broken.
soak: $(VENV)/.test
	for script in benchmarks/soak/soak_*.py; do \
		echo "== $$script"; $(VENV)/bin/python $$script $(SOAK_ARGS) || exit 1; done

model: $(VENV)/.test
	$(VENV)/bin/python -m scopewatch_training.shipped

# Needs msgfmt of GNU gettext; the compiled catalogues are committed, so that nothing else does.
messages:
	for source in daemon/scopewatch/core/languages/*/LC_MESSAGES/*.po; do \
		msgfmt --check-format -o $${source%.po}.mo $$source || exit 1; done

lock: $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet pip-tools
	$(VENV)/bin/pip-compile --quiet --extra test --strip-extras --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links --output-file constraints.txt pyproject.toml
	sed -i '/^scopewatch /d' constraints.txt  # the extras name the project itself

clean:
	rm -rf $(VENV) .venv-* build dist scopewatch-demo .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
