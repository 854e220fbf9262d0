PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
RUNS := $(VENV)/.runs
EVERYTHING := .[local,documents,hub,api,dev]

.PHONY: demo test test-fast check lint install clean

demo: $(RUNS)  ## fetch the embedded model, measure on the interpreter's own documentation, decide
	$(BIN)/python examples/stdlib_docs.py runs/demo-data
	$(BIN)/tuneworth run runs/demo-data/task.yaml --yes

# One thread of torch a worker: two workers of two threads each fight for two cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

test: $(INSTALLED)  ## the whole suite, on every core
	$(PYTEST)

test-fast: $(INSTALLED)  ## what needs no model and no minutes: the inner loop
	$(PYTEST) -m "not slow"

check: lint test  ## what CI runs

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

install: $(INSTALLED)

# Everything; what the demo needs is part of it.
$(INSTALLED): pyproject.toml constraints.txt
	$(call install,$(EVERYTHING))
	touch $@ $(RUNS)

# What measuring needs and nothing else: a third of the time and of the disk.
$(RUNS): pyproject.toml constraints.txt
	$(call install,.[local])
	touch $@

define install
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tuneworth needs Python 3.11 or newer; set PYTHON=python3.12, say")'
$(PYTHON) -m venv $(VENV)
$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '$(1)'
endef

clean:  ## the virtual environment and caches; runs stay
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .ruff_cache .import_linter_cache
