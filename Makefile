# The workshop. `make help` lists what there is.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types contracts bench soak compat screenshots clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "attio-console needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(STAMP) ## open the console on the sandbox: no account, no network
	@$(BIN)/attio-console demo

test: $(STAMP) ## every test that needs no network and no account
	$(BIN)/python -m pytest -q $(ARGS)

check: test lint types contracts ## what CI runs

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

bench: $(STAMP) ## figures, each beside its floor in the same run
	$(BIN)/python -m tests.bench

soak: $(STAMP) ## crashes and random edits for SECONDS (600)
	$(BIN)/python -m pytest -q -m soak --timeout 0 $(ARGS)

compat: $(STAMP) ## published third-party clients against the sandbox
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[compat]'
	$(BIN)/python -m pytest -q -m compat tests/compat $(ARGS)

screenshots: $(STAMP) ## draw every picture of the docs again, from the demo data
	$(BIN)/python -m screenshots.make

clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
