# `make demo` and `make test` need Python 3.11 or newer, git and make; everything else is installed into .venv.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test rates clean

demo: .venv/installed
	$(BIN)/tinyedge run digits --board nrf52840

test: .venv/installed
	$(BIN)/python -m pytest

# Counts what kernels take, which `tinyedge fit` predicts from: docs/fit.md. MODELS is a folder of .tflite files.
rates: .venv/installed
	mkdir -p build/rates
	$(BIN)/python -m benchmarks.rates_counts build/rates/counts.jsonl $$(find $(MODELS) -name '*.tflite')
	$(BIN)/python -m benchmarks.rates_probes build/rates/probes.jsonl
	$(BIN)/python -m benchmarks.rates build/rates/counts.jsonl build/rates/probes.jsonl

.venv/installed: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: tinyedge needs Python 3.11 or newer\n\nhint: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint requirements.lock --editable '.[train,import,data,flash,docs,dev]'
	touch $@

clean:
	rm -rf .venv build
