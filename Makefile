# Everything that people and machines do with this project. `make` alone lists it.
# The virtual environment makes itself; nothing is installed outside of it but by `system-deps`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := tests/peers
PEERS_READY := $(PEERS)/node_modules/.ready
FUZZ := build/fuzz/venv
FUZZ_READY := $(FUZZ)/.ready
ARGS ?=

HARNESS := build/benchmarks/load build/benchmarks/limit

.PHONY: help demo bench bench-parity soak fuzz test check format lock system-deps clean

help: ## List these targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name what; \
		do printf '  make %-12s %s\n' "$$name" "$$what"; done

demo: $(READY) ## Run an emulated backend, the bridge and a page that shows both wires
	@$(BIN)/ws2sse demo $(ARGS)

bench: $(READY) $(PEERS_READY) $(HARNESS) ## Measure beside real peers; ARGS=--quick, ARGS="--only sse-single,memory"
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(READY) ## Minutes of churn, dying backends, stalled readers and a drain; ARGS=--quick
	@$(BIN)/python -m benchmarks.soak $(ARGS)

bench-parity: $(READY) ## Measure what comparing two backends costs; ARGS="--only faults"
	@$(BIN)/python -m benchmarks.parity $(ARGS)

fuzz: $(READY) $(FUZZ_READY) ## Fuzz all that reads foreign bytes, 20 s each; ARGS="--seconds 300"
	@$(FUZZ)/bin/python -m tests.fuzz $(ARGS)

test: $(READY) $(PEERS_READY) ## Run the tests; ARGS="-k word" passes options to pytest
	@$(BIN)/pytest -q $(ARGS)

check: $(READY) ## Check formatting, lint, types and the order of the layers
	@$(BIN)/ruff format --quiet --check . || { echo 'Not formatted: run `make format`.' >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/test_layers.py tests/test_style.py

format: $(READY) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

lock: $(READY) ## Pin the dependencies anew; ARGS=--upgrade moves the pins
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --group dev $(ARGS) \
		--output-file requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --group fuzz $(ARGS) \
		--output-file requirements-fuzz.lock
	@command -v npm >/dev/null || { echo 'npm is missing, so only the Python pins are new.' >&2; exit 0; }; \
		cd $(PEERS) && npm install --package-lock-only --ignore-scripts --silent

system-deps: ## Install the servers and browsers that tests use (Debian; needs root or sudo)
	@.ci/system-deps

clean: ## Remove the virtual environment, the Node.js packages and all caches
	@rm -rf $(VENV) $(PEERS)/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo 'Python 3.11 or later is needed; name it by `make PYTHON=...`.' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || test -x $(BIN)/pip \
		|| { echo 'Python lacks venv; run `make system-deps` or install python3-venv.' >&2; exit 1; }
	@echo 'Preparing $(VENV) ...'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

# A wheel only: to build the fuzzer takes a matching clang with its libFuzzer.
$(FUZZ_READY): requirements.lock requirements-fuzz.lock
	@echo 'Preparing $(FUZZ) ...'
	@mkdir -p $(FUZZ) && $(PYTHON) -m venv $(FUZZ)
	@$(FUZZ)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
		-r requirements-fuzz.lock 2>/dev/null \
		|| { echo 'No fuzzing here: no wheel of atheris suits this Python and system, or none could be had.' >&2; exit 1; }
	@$(FUZZ)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# Without npm, or without a way to its packages, the tests that need them are skipped (and fail
# where CI=true); all others run.
$(PEERS_READY): $(PEERS)/package-lock.json $(PEERS)/package.json
	@if command -v npm >/dev/null; then \
		echo 'Preparing $(PEERS) ...'; \
		if (cd $(PEERS) && npm ci --ignore-scripts --silent); then touch $@; \
		else echo 'npm could not install the Node.js packages of the tests.' >&2; fi; \
	fi

# Without a compiler the benchmarks say so and what they leave out.
build/benchmarks/%: benchmarks/%.c
	@mkdir -p $(@D)
	@if command -v cc >/dev/null; then cc -O2 -Wall -Wextra -o $@ $<; \
		else echo 'No C compiler (cc): $@ is left out.' >&2; fi
