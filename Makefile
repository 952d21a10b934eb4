# The commands: `make demo` designs a battery cell, `make test` runs the tests, `make notebooks` the published systems in small.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# One numerical thread a process: small matrices gain nothing from more, and tests run side by side.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: demo test notebooks lint types format schema clean

demo: $(VENV)/.physics
	$(BIN)/invdesign run examples/nmc811-cell.yaml

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup

notebooks: $(VENV)/.dev
	$(BIN)/python -m pytest -m notebooks tests/notebooks

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "invdesign needs Python 3.11 or later; name it: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.physics: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable '.[physics]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable '.[physics,dev]'
	touch $@ $(VENV)/.physics

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
