# Every target sets up what it needs, from only Python 3.11+ and make, and only when uv.lock or pyproject.toml has changed.

# The first interpreter that is new enough; `make PYTHON=/path/to/python test` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
UV_VERSION := 0.13.9
# Workers of the test suite; the store and the ports of each are its own.
JOBS ?= 2
UV := .cache/uv/bin/uv
BIN := .venv/bin
# uv takes the machine's own interpreter and never fetches one.
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
# Compiled at install: else every process of the tree would do it again where Python may not write beside its sources.
export UV_COMPILE_BYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help demo test converge fuzz mutate bench history docs lint fmt lock image hooks clean
.DELETE_ON_ERROR:

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/.runtime ## four weeks of a club in seconds: events in, advice out, checked
	$(BIN)/tandem demo

test: .venv/.dev .cache/verifiers ## the test suite; ARGS="tests/rules -k gap" narrows it
	$(BIN)/pytest -n $(JOBS) $(ARGS)

converge: .venv/.dev ## the engine against the reference, tens of thousands of cases; TANDEM_PACKS=2000 sets how many packs
	TANDEM_PACKS=$${TANDEM_PACKS:-2000} $(BIN)/pytest -n 0 --timeout 3000 tests/rules/reference $(ARGS)

fuzz: .venv/.dev ## spoilt rule files: a clear error with a place for each; TANDEM_FUZZ=20000 sets how many
	TANDEM_FUZZ=$${TANDEM_FUZZ:-20000} $(BIN)/pytest -n $(JOBS) --dist load --timeout 3000 tests/rules/language/test_malformed.py $(ARGS)

mutate: .venv/.dev ## small faults put into engine and language: which does no test notice? TANDEM_MUTANTS=400 sets how many
	$(BIN)/python -m tests.mutation.run $(ARGS)

history: .venv/.dev ## what an evaluation costs after a month, a year and three of ten events a day; ARGS="--rounds 50"
	$(BIN)/python -m tests.load.history $(ARGS)

bench: .venv/.dev ## is it as fast as it says, beside other designs? ARGS="--only latency --rounds 3 --quick" narrows it
	$(UV) sync --quiet --locked --inexact --group bench --python $(PYTHON)
	$(BIN)/python -m tests.load.bench $(ARGS)

docs: .venv/.dev ## bring the parts of docs/ that are made from the code up to it
	$(BIN)/python -m tests.docs.reference

lint: .venv/.dev ## ruff, formatting, mypy --strict, import contracts, the lock file
	$(UV) lock --check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: .venv/.dev ## format, and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(UV) ## bring uv.lock up to pyproject.toml; ARGS=--upgrade takes the newest versions
	$(UV) lock --python $(PYTHON) $(ARGS)

image: ## build the container image `tandem`
	docker build -f deploy/Dockerfile -t tandem .

hooks: .venv/.dev ## run the lint checks before each commit
	$(BIN)/pre-commit install

clean: ## remove environments and caches
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv has an environment of its own: `uv sync` makes .venv hold what the lock names and nothing else.
$(UV): Makefile
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found; install one, or name it: make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv --clear .cache/uv || { echo "make: $(PYTHON) cannot make a virtual environment;" \
		"on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# The demo needs no test tools; --inexact leaves those of a developer in place.
.venv/.runtime: $(UV) uv.lock pyproject.toml
	$(UV) sync --quiet --locked --no-dev --inexact --python $(PYTHON)
	@touch $@

.venv/.dev: $(UV) uv.lock pyproject.toml
	$(UV) sync --quiet --locked --python $(PYTHON)
	@touch .venv/.runtime $@

# The JavaScript verifier of webhook signatures, where npm is; its test says so where it is not.
.cache/verifiers: tests/contract/package.json tests/contract/package-lock.json
	@mkdir -p $@
	@if command -v npm >/dev/null; then \
		cp tests/contract/package.json tests/contract/package-lock.json $@ && \
		npm ci --prefix $@ --no-audit --no-fund --silent; \
	fi
	@touch $@
