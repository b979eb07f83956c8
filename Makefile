# Needs Python 3.11 to 3.14 and make, nothing else. `make` alone lists what it can do.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOMS := catalog sources methods assets reports pipelines
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
PIP_LOCKED := $(PIP) install --require-hashes --no-deps --only-binary :all: --requirement
ARGS ?=

# Stamps, oldest first: the packages of requirements.lock; the project itself, so `btg` works; the tools for tests and checks.
LOCKED := $(VENV)/locked.stamp
RUNTIME := $(VENV)/runtime.stamp
DEV := $(VENV)/dev.stamp

LOCK := pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# Without a home directory, what libraries keep for a user goes into the virtual environment.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/$(VENV)
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help measure test check ui lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

measure: $(RUNTIME) ## set up once, then the whole measurement on the bundled figures, into output/
	@$(BIN)/btg measure --demo

test: $(DEV) ## set up once, then all tests (make test ARGS="-k name" for some)
	@$(BIN)/python -m pytest $(ARGS)

check: $(DEV) ## set up once, then lint, formatting and types; runs all three, then fails if one did
	@status=0; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/mypy $(addprefix -p ,$(ROOMS)) || status=1; \
	exit $$status

ui: $(RUNTIME) ## open Dagster's web interface on this machine
	@$(BIN)/btg ui

lock: ## remake both lock files, keeping versions that still fit (make lock UPGRADE=1 takes the newest)
	@uv=$$(command -v uv || true); \
	if [ -z "$$uv" ]; then \
		test -x .venv-lock/bin/uv || { "$(PYTHON)" -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv; } || exit 1; \
		uv=.venv-lock/bin/uv; \
	fi; \
	"$$uv" $(LOCK) --group build --output-file requirements.lock pyproject.toml && \
	"$$uv" $(LOCK) --group build --group dev --constraints requirements.lock --output-file requirements-dev.lock pyproject.toml
	@! grep -n '://' requirements.lock requirements-dev.lock

clean: ## remove the virtual environment, Dagster's storage and all caches; never output/ or data/
	@rm -rf $(VENV) .venv-lock .dagster_home .mypy_cache .pytest_cache .ruff_cache .coverage htmlcov build dist *.egg-info
	@find . \( -path ./output -o -path ./data -o -path ./.git \) -prune -o \
		-type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

$(LOCKED): requirements.lock
	@command -v "$(PYTHON)" >/dev/null || { echo "No $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 15) else \
		"This needs Python 3.11 to 3.14; $(PYTHON) is %d.%d. Name another: make PYTHON=/path/to/python3.11" % v)'
	@echo "Setting up $(VENV): downloading and installing the locked packages, once, about a minute" >&2
	@"$(PYTHON)" -m venv --clear $(VENV)
	@# Compiled afterwards on all processors, which pip does not do: a quarter faster. A failure only makes the first run slower.
	@$(PIP_LOCKED) requirements.lock --no-compile
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	@touch $@

$(RUNTIME): $(LOCKED) pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.lock
	@echo "Adding the tools for tests and checks to $(VENV): once, some fifteen seconds" >&2
	@$(PIP_LOCKED) requirements-dev.lock
	@touch $@
