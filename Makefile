# make demo and make test do all their own set-up: Python 3.11 or newer, git and make are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
ARGS ?=

.PHONY: help install demo demo-kill crash soak test lint types mutants contract schema constraints bench-pay bench-audit clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(READY) ## make the virtual environment in .venv

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "hongbao needs Python 3.11 or newer; this is $$($(PYTHON) --version). Say which to use: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY) ## a whole campaign on real engines; ARGS='pingyin --exit --json figures.json'
	$(BIN)/hongbao demo $(ARGS)

demo-kill: $(READY) ## the demo under kill -9 of every part, resumed each time
	$(BIN)/python -m tests.demo_kill $(ARGS)

crash: $(READY) ## rounds of load and one fault each on real processes; ARGS='--rounds 200 --seed 7'
	$(BIN)/python -m tests.crash $(ARGS)

soak: $(READY) ## load with faults at random moments; ARGS='--minutes 30 --seed 7'
	$(BIN)/python -m tests.crash --minutes 30 $(ARGS)

test: $(READY) ## all tests; ARGS='tests/domain -k decide'
	$(BIN)/python -m pytest $(ARGS)

lint: $(READY) ## style, types and the arrows between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory types

types: $(READY)
	$(BIN)/mypy lottery campaigns/domain campaigns/services

mutants: $(READY) ## small changes to rules, locks, group commit and transfers; each must turn a test red
	$(BIN)/python -m tests.mutants $(ARGS)

contract: $(READY) ## schemathesis over the whole OpenAPI document; ARGS='--examples 200 --seed 1'
	$(BIN)/python -m tests.contract $(ARGS)

schema: $(READY) ## write the JSON Schema of a campaign file for editors
	$(BIN)/hongbao campaign schema > campaigns/programmes/campaign.schema.json

constraints: $(READY) ## list the constraints of the migrated database anew, after a change of the schema
	$(BIN)/python -m tests.support.constraints > tests/store/constraints.txt

bench-audit: $(READY) ## the audit over a million payments, and after ten thousand new ones; ARGS='--faults --json audit.json'
	$(BIN)/python -m tests.audit.bench $(ARGS)

bench-pay: $(READY) ## payments over HTTP against bare Sanic and the textbook; ARGS='--quick --json figures.json'
	$(BIN)/python -m loadtests.bench $(ARGS)

clean: ## remove what hongbao made: engines' data in ./var and /var/tmp, caches, the virtual environment
	@if [ -x $(BIN)/python ]; then for dir in var/hongbao var/demo/* var/bench-*/*; do \
	  HONGBAO_DATA_DIR=$$dir $(BIN)/python -m campaigns.runtime.engines clean; done; fi
	rm -rf var build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache $(VENV)
