# Everything a developer or an operator runs here. Each target makes .venv itself on first use
# and again when requirements/ or pyproject.toml change; otherwise it starts at once.
#
#   make PYTHON=/opt/python3.12/bin/python3 demo    chooses the Python (3.11 to 3.13)
#   make ARGS="-k layers" test                      passes arguments on

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
PYTHONS := python3.11 python3.12 python3.13 python3 python
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
LOCK := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

export DAGSTER_DISABLE_TELEMETRY := 1
# Without its bytecode every process would compile all packages again: 4 seconds, not one.
unexport PYTHONDONTWRITEBYTECODE

##@ Use
.PHONY: demo
demo: $(VENV)/.demo ## build the demo lakehouse from real flights and run the whole pipeline
	@$(BIN)/dp demo $(ARGS)

.PHONY: ui
ui: $(VENV)/.demo ## serve Dagster with the state of the demo on 127.0.0.1:3000
	@$(BIN)/dp ui $(ARGS)

##@ Develop
.PHONY: test
test: $(VENV)/.dev ## run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q $(ARGS)

.PHONY: check
check: $(VENV)/.dev ## format, lint, types, layers, definitions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/python -m pytest -q dp_assets_tests/test_layers.py
	@# Dagster reads its instance settings, telemetry off among them, from its home only.
	@mkdir -p $(VENV)/dagster && cp dagster.yaml $(VENV)/dagster/
	DAGSTER_HOME="$(CURDIR)/$(VENV)/dagster" VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/dg check defs
	DAGSTER_HOME="$(CURDIR)/$(VENV)/dagster" $(BIN)/dagster definitions validate -w workspace.yaml

.PHONY: format
format: $(VENV)/.dev ## put the code into the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.demo ## measure the claims about speed and memory
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev ## repeat the crash tests ten times as often as `make test` does; prints seeds and counts
	@DP_SOAK=1 $(BIN)/python -m pytest -n 2 -q -rP -m soak --timeout 7200 $(ARGS)

.PHONY: lock
lock: $(VENV)/.tools ## pin requirements/ again; UPGRADE=yes takes the newest versions
	$(LOCK)$(if $(UPGRADE), --upgrade) pyproject.toml --extra demo --extra dev -o requirements/dev.txt
	@# The pins found in an output file are kept, so every file agrees with dev.txt.
	@for name in base demo build; do cp requirements/dev.txt requirements/$$name.txt; done
	$(LOCK) pyproject.toml -o requirements/base.txt
	$(LOCK) pyproject.toml --extra demo -o requirements/demo.txt
	$(LOCK) --group pyproject.toml:build -o requirements/build.txt

.PHONY: clean
clean: ## remove .venv and caches; STATE=yes removes the demo lakehouse too
	rm -rf $(VENV) .pytest_cache .ruff_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	$(if $(filter yes,$(STATE)),rm -rf .lakehouse,@if [ -d .lakehouse ]; then \
		echo "kept .lakehouse with its tables; 'make clean STATE=yes' removes it"; fi)

.PHONY: help
help: ## print this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

# What installs everything else: uv, pinned, and our build backend. A uv on PATH only speeds it up.
$(VENV)/.tools: requirements/build.txt
	@rm -rf $(VENV)
	@if uv --version >/dev/null 2>&1; then \
		uv venv --quiet --python '$(or $(PYTHON),>=3.11,<3.14)' $(VENV) && \
		uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/build.txt; \
	else \
		for python in $(if $(PYTHON),'$(PYTHON)',$(PYTHONS)) none; do \
			"$$python" -c 'import ensurepip, sys, venv; \
				sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && break; \
		done; \
		if [ "$$python" = none ]; then \
			echo "no Python 3.11, 3.12 or 3.13 that can make a virtual environment$(if $(PYTHON), at $(PYTHON))" >&2; \
			echo "hint: install one (Debian: apt-get install python3-venv) or name it: make PYTHON=/path/to/python3" >&2; \
			exit 2; \
		fi; \
		"$$python" -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
			-r requirements/build.txt; \
	fi
	@touch $@

$(VENV)/.demo: $(VENV)/.tools requirements/demo.txt pyproject.toml
	@echo "installing into $(VENV) (about a minute, once)"
	@$(INSTALL) --require-hashes -r requirements/demo.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.demo requirements/dev.txt
	@echo "installing the developers' tools"
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@
