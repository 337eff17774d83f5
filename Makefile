# `make` alone lists the targets. Everything happens in .venv/, which is made on first use.

MAKEFLAGS += --no-print-directory
BIN := .venv/bin
ARGS ?=
# Many tests wait for processes and clocks, so that more run at once than there are cores.
JOBS ?= 4

.DEFAULT_GOAL := help
.PHONY: help env demo test check check-format check-lint check-types check-layers \
	check-house check-lock check-openapi bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

env: ## Make .venv/, or bring it up to date
	@tools/env.sh

demo: env ## Watch a whole life of the agent: no key, no server (ARGS="...")
	@$(BIN)/cofounder demo $(ARGS)

test: env ## Run every test that can run on this machine (ARGS="...")
	@status=0; $(BIN)/pytest -n $(JOBS) --dist loadscope $(ARGS) || status=$$?; \
		$(BIN)/python -m tools.missing; exit $$status

check: check-format check-lint check-types check-layers check-house check-lock check-openapi ## Check every rule (make -k check goes on after a failure)
	@echo 'All rules are kept.'

check-format: env
	@echo '== Format: ruff format'
	@$(BIN)/ruff format --check --quiet . || { echo 'Run: .venv/bin/ruff format .'; exit 1; }

check-lint: env
	@echo '== Lint: ruff check'
	@$(BIN)/ruff check --quiet .

check-types: env
	@echo '== Types: mypy --strict'
	@$(BIN)/mypy

check-layers: env
	@echo '== Layers: import-linter'
	@$(BIN)/lint-imports --no-logo

check-house: env
	@echo '== House rules: tools/house'
	@$(BIN)/python -m tools.house

check-lock: env
	@echo '== Lock files: tools/lock.py'
	@$(BIN)/python -m tools.lock --check

check-openapi: env
	@echo '== API description: docs/openapi.json'
	@$(BIN)/cofounder openapi | diff -u docs/openapi.json - >&2 \
		|| { echo 'Run: .venv/bin/cofounder openapi > docs/openapi.json'; exit 1; }

bench: env ## Measure this machine (ARGS="...")
	@$(BIN)/python -m bench $(ARGS)

lock: env ## Make requirements/*.txt from pyproject.toml; needs uv (ARGS=--upgrade)
	@$(BIN)/python -m tools.lock $(ARGS)

clean: ## Remove the environment and everything that was generated
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .artifacts dist
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +
