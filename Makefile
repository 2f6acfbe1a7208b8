# Everything a developer or a build machine does with this repository. `make` alone lists it.
# Paths stay relative and quoted, so that the folder may have spaces or Chinese characters in its name.

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
RUFF := $(PY) -m ruff
PYTEST := $(PY) -m pytest -n auto --dist worksteal
# import-linter has no `python -m` of its own.
LINT_IMPORTS := $(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint()'

# What an environment was made from. A moved folder counts: an editable install names its place.
STAMP := $(VENV)/made-from
MADE_FROM := { cat requirements.lock pyproject.toml; pwd; } | cksum

.PHONY: help
help: ## this list
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1	\2/p' Makefile | expand -t 12

# No stamp means that nothing was made, or that a run broke off half-way; pip trusts what it finds, so
# such an environment is made anew. With a stamp of another day only the difference is installed.
.PHONY: setup
setup: ## make .venv from requirements.lock (PYTHON=… chooses the interpreter); instant when up to date
	@want=$$($(MADE_FROM)) && \
	if [ "$$(cat $(STAMP) 2>/dev/null)" = "$$want" ] && $(PY) -c '' 2>/dev/null; then exit 0; fi; \
	if ! { [ -f $(STAMP) ] && $(PY) -m pip --version >/dev/null 2>&1; }; then \
	  $(MAKE) --no-print-directory fresh || exit; \
	fi; \
	rm -f $(STAMP) && \
	echo "Installing what requirements.lock names" && \
	$(PY) -m pip install --quiet --require-hashes --requirement requirements.lock && \
	$(PY) -m pip install --quiet --no-index --no-deps --no-build-isolation --editable . && \
	echo "$$want" > $(STAMP) && echo "Ready: $(VENV)/bin/flow"

# An interpreter on the PATH may be a shim of a version that is not there, or (Debian) lack venv: ask each.
.PHONY: fresh
fresh:
	@if [ -n "$(PYTHON)" ]; then set -- "$(PYTHON)"; else set -- python3.13 python3.12 python3.11 python3; fi; \
	for python in "$$@"; do \
	  if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$python"; \
	    exec "$$python" -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "No Python 3.11 or newer with venv found (tried: $$*)." >&2; \
	echo "Install one (Debian: apt-get install python3 python3-venv), or name it: make setup PYTHON=/path/to/python3" >&2; \
	exit 1

.PHONY: demo
demo: setup ## a workspace with people, procedures and running instances to look at, made afresh each time
	@$(VENV)/bin/flow demo --again

.PHONY: static
static: setup ## style, types and the direction of imports
	$(RUFF) check .
	$(RUFF) format --check .
	$(PY) -m mypy
	@$(LINT_IMPORTS)

.PHONY: check
check: static ## static, then the fast tests: before every commit
	$(PYTEST) -m "not slow"

.PHONY: test
test: setup ## every test, on SQLite and (where its binaries are) PostgreSQL
	$(PYTEST)

.PHONY: bench
bench: setup ## the measurements, printed with the machine they were taken on
	$(PY) -m benchmarks

.PHONY: messages
messages: setup ## bring the Chinese catalogue up to date and say what lacks a translation
	@$(PY) -m tests.console.catalogue

# The only use of uv; it is no dependency, so it is fetched when wanted.
.PHONY: lock
lock: setup ## write requirements.lock anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@if command -v uv >/dev/null 2>&1; then set -- uv; else set -- $(PY) -m uv; \
	  $(PY) -m uv --version >/dev/null 2>&1 || $(PY) -m pip install --quiet uv; fi; \
	"$$@" pip compile pyproject.toml --extra postgresql --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet \
	  $(if $(UPGRADE),--upgrade) --output-file requirements.lock

.PHONY: clean
clean: ## remove the environment, the demo and every cache
	rm -rf $(VENV) demo dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
