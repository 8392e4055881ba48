# Every target does its own set-up: a fresh machine needs Python 3.11 (or newer), Node 20 (or newer) with npm, make and
# git, root or not. Without Node all but the web console is there.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
NODE_READY := console/node_modules/.package-lock.json
CONSOLE_SOURCES := $(shell find console -path console/node_modules -prune -o -type f -print 2>/dev/null)
ifneq ($(shell command -v npm 2>/dev/null),)
CONSOLE := src/shuke/app/console_files/index.html
LINT_CONSOLE := lint-console
else
CONSOLE := without-console
endif
# Where bytecode is not kept, each of the tests' many processes compiles every library anew, which takes longer than all
# that they test.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup console schema demo test faults bench lint lint-python lint-console format screenshots docs lock clean without-console

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "make %-8s %s\n", $$1, $$2}'

setup: $(READY) $(CONSOLE) ## Install the locked dependencies into .venv and build the console

# A set-up that was broken off leaves no stamp and is begun anew.
$(READY): locks/bootstrap.txt locks/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Shuke needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/bootstrap.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes locks/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

console: $(CONSOLE) ## Build the web console into the package

# The page is written last, so a build that was broken off is begun anew.
src/shuke/app/console_files/index.html: $(NODE_READY) $(CONSOLE_SOURCES)
	@cd console && npm run --silent build -- --logLevel warn
	@touch $@

$(NODE_READY): console/package-lock.json console/package.json
	@cd console && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

without-console:
	@echo "There is no npm: the web console is not built. It needs Node 20 or newer; all else works without." >&2

schema: $(READY) $(NODE_READY) ## Renew the console's types from the description of the API
	@mkdir -p .cache
	@$(BIN)/python -m shuke.app.openapi > .cache/openapi.json
	@cd console && npm run --silent schema -- ../.cache/openapi.json --output src/platform/schema.ts >/dev/null

demo: $(READY) $(CONSOLE) ## Run a server with the shipped orders and simulated events, and the report, on loopback
	@$(BIN)/shuke demo

# What waits for the network or has one thread goes side by side.
test: ## Lint, type-check and test everything
	@$(MAKE) --no-print-directory -j2 --output-sync=target setup lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not faults"

faults: $(READY) ## Run the long fault-injection proofs
	@$(BIN)/python -m pytest -n 0 -m faults

bench: $(READY) ## Measure against the peers, in one run, and print ratios
	@$(BIN)/python benchmarks/run.py

lint: lint-python $(LINT_CONSOLE) ## Check style, types and the direction of imports

lint-python: $(READY)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>&1 | tail -n 12; exit $${PIPESTATUS[0]}

lint-console: $(NODE_READY)
	@cd console && npm run --silent lint

format: $(READY) ## Format the code and mend what can be mended
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@test ! -d console/node_modules || npm --prefix console run --silent format

screenshots: $(READY) $(CONSOLE) ## Take the pictures of the console for the documentation, from the demo
	@$(BIN)/python docs/screenshots.py .cache/demo

docs: $(READY) ## Build the documentation site into docs/_build/html
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

lock: ## Renew the locks from pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade locks/bootstrap.in -o locks/bootstrap.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade pyproject.toml -o locks/run.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --upgrade pyproject.toml --extra spark --group test --group lint --group docs locks/build.in -o locks/dev.txt

clean: ## Remove what the other targets made
	@rm -rf $(VENV) .cache console/node_modules src/shuke/app/console_files docs/_build docs/reference/api demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
