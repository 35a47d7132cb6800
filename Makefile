# Everything a person or CI runs. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
FONTS := .fonts
# Keys of outside services never reach the demo or the tests.
OFFLINE := env -u AI_API_KEY -u AI_BASE_URL -u AI_MODEL -u AI_EMBED_MODEL -u OPENAI_API_KEY -u ANTHROPIC_API_KEY \
	-u LANGSMITH_API_KEY -u OTEL_EXPORTER_OTLP_ENDPOINT

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

install: $(STAMP) ## create .venv with everything pinned, and the fonts

$(STAMP): requirements/dev.lock pyproject.toml scripts/install.sh
	@PYTHON=$(PYTHON) VENV=$(VENV) FONTS=$(FONTS) bash scripts/install.sh
	@touch $@

run: install ## serve with reload, and a worker process
	$(BIN)/dossier serve --reload

worker: install ## run one worker process
	$(BIN)/dossier worker

test: install ## run the tests (about a minute)
	$(OFFLINE) $(BIN)/pytest -q -n 2 --dist worksteal -m "not chaos"

coverage: install ## the tests with line and branch coverage, at least 95 %
	$(OFFLINE) $(BIN)/pytest -q -n 2 --dist worksteal -m "not chaos" --cov --cov-fail-under=95

lint: install ## ruff, format check, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell src tests docs benchmarks migrations scripts *.md

format: install ## rewrite files in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: install ## mypy --strict
	$(BIN)/mypy

contracts: install ## import contracts
	$(BIN)/lint-imports --no-cache

check: lint types contracts test ## all that CI runs, in its order

migrate: install ## bring the database up to date
	$(BIN)/dossier migrate

new-domain: install ## make new-domain name=suppliers [above=documents]
	$(BIN)/python scripts/new_domain.py $(name) $(above)

demo: install ## build the example dossier into build/demo
	$(OFFLINE) $(BIN)/dossier build examples/rose-cream --market tw -o build/demo

bench: install ## all benchmarks, JSON on standard output
	$(OFFLINE) $(BIN)/python -m benchmarks

chaos: install ## kills and restarts at full length (minutes)
	$(OFFLINE) $(BIN)/pytest -q -m chaos

fuzz: install ## damaged documents, and generated requests to every route (half an hour)
	$(OFFLINE) $(BIN)/python scripts/fuzz_reading.py
	$(OFFLINE) $(BIN)/python scripts/fuzz_api.py

lock: ## renew requirements/*.lock from pyproject.toml
	bash scripts/lock.sh

clean: ## remove what can be made again
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov

.PHONY: help install run worker test coverage lint format types contracts check migrate new-domain demo bench chaos fuzz lock clean
