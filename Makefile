# Two commands from a fresh checkout: make run, make test. The rest: make help.

BIN := .venv/bin
PORT ?= 5000
export PORT

.DEFAULT_GOAL := help
.PHONY: help run test faults test-databases bench bench-quick bench-growth check format

help: ## say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: .venv/installed ## start the site at http://localhost:5000 (or at PORT), all set up
	@$(BIN)/flask db upgrade
	@exec $(BIN)/gunicorn --reload

test: .venv/installed-dev ## run the whole test suite
	@CHROMIUM="$${CHROMIUM-$$(scripts/find-browser)}" $(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

faults: .venv/installed-dev ## run the long tests: nodes killed, keys rotated, Redis failing under load, long races
	@$(BIN)/python -m pytest -n 0 -m faults $(ARGS)

test-databases: .venv/installed-dev ## run all of it on SQLite, on PostgreSQL and on MariaDB
	@failed=; for kind in sqlite postgresql mariadb; do echo "== $$kind"; \
		TEST_DATABASE=$$kind $(MAKE) --no-print-directory test || failed="$$failed $$kind"; \
	done; test -z "$$failed" || { echo "Failed on:$$failed"; exit 1; }

bench: .venv/installed-dev ## measure Latchkey beside its peers and beside the limit (about half an hour)
	@$(BIN)/python -m benchmarks.bench $(ARGS)

bench-quick: .venv/installed-dev ## the same in short: Latchkey and bare Flask, in under two minutes
	@$(BIN)/python -m benchmarks.bench --quick $(ARGS)

bench-growth: .venv/installed-dev ## measure what becomes of it with a million people, and under a flood
	@$(BIN)/python -m benchmarks.growth $(ARGS)

check: .venv/installed-dev ## ruff, mypy strict, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: .venv/installed-dev ## put the code into its one format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.venv/bin/python:
	@scripts/make-venv .venv

.venv/installed: requirements.txt | .venv/bin/python
	@echo "Installing dependencies (about half a minute) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	@echo "Installing what the tests need (about half a minute) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements-dev.txt
	@touch $@
