# Two commands do everything on a fresh machine: `make demo` and `make test`. Both install what they need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test agreement check format bench golden docs lock property clean

# Without bytecode each command compiles the clouds' SDKs anew, which takes seconds and memory.
export PYTHONDONTWRITEBYTECODE :=
PYTHON ?= python3
CACHE := $(or $(SEAWALL_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/seawall)
UV_VERSION := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)
UV := $(CACHE)/uv/$(UV_VERSION)/bin/uv
READY := .venv/.ready
RUN := .venv/bin/
STACK ?= dev-aws
# One more than two cores: long tests also wait, for controllers with clocks of their own.
WORKERS ?= 3

help: ## Say what each target does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## Install the Python environment, pinned by hash

$(UV):
	@echo "… installing uv $(UV_VERSION) into $(CACHE)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Seawall needs Python 3.11 or newer: set PYTHON=/path/to/python3.11")'
	@rm -rf $(CACHE)/uv/$(UV_VERSION) $(CACHE)/uv/.$(UV_VERSION).$$$$
	@$(PYTHON) -m venv $(CACHE)/uv/.$(UV_VERSION).$$$$ && mkdir -p $(CACHE)/uv \
		&& $(CACHE)/uv/.$(UV_VERSION).$$$$/bin/python -m pip install -q --disable-pip-version-check "uv==$(UV_VERSION)" \
		&& mv $(CACHE)/uv/.$(UV_VERSION).$$$$ $(CACHE)/uv/$(UV_VERSION)

$(READY): requirements.lock pyproject.toml $(UV)
	@echo "… installing the Python environment into .venv"
	@test -x .venv/bin/python || $(UV) venv -q --python $(PYTHON) .venv
	@$(UV) pip sync -q --python .venv/bin/python --require-hashes requirements.lock
	@$(UV) pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## Run the main job on the local cloud: make demo [STACK=dev-gcp]
	@$(RUN)seawall demo --stack $(STACK)

test: $(READY) ## Run every test: unit, the real engine, the real Triton, the real Kubernetes
	@$(RUN)seawall engine
	@$(RUN)python -m localcloud.toolchain
	@$(RUN)pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

agreement: $(READY) ## Try all settings changes on which the real engine and the offline diff must agree
	@SEAWALL_AGREEMENT=all $(RUN)pytest -n 2 --dist loadgroup tests/ops/preview/test_agreement.py

check: $(READY) ## Check format, lint, types and layers
	@$(RUN)ruff format --check .
	@$(RUN)ruff check .
	@$(RUN)pyright
	@$(RUN)lint-imports

format: $(READY) ## Format the code and fix what lint can fix
	@$(RUN)ruff format .
	@$(RUN)ruff check --fix .

bench: $(READY) ## Measure speed and memory, as ratios within one run
	@$(RUN)python -m ops.bench

golden: $(READY) ## Refresh the golden plans of all stacks
	@$(RUN)python -m tests.golden.write

docs: $(READY) ## Regenerate the schema and the generated documents
	@$(RUN)python -m stacks.schema
	@$(RUN)python -m policies.catalogue
	@$(RUN)python -m localcloud.limits
	@$(RUN)python -m stacks.accounts
	@$(RUN)python -m stacks.recovery_page
	@$(RUN)python -m ops.diff.samples
	@$(RUN)seawall plan dev-aws --diagram docs/dev-aws.svg >/dev/null

property: $(READY) ## Change every rule's example in every way, and print by rule what is seen and what is not
	@$(RUN)python -m tests.policies.property.judging

lock: $(UV) ## Pin the dependencies anew
	@$(UV) pip compile -q --generate-hashes --no-emit-index-url --python-version 3.11 --universal --group dev pyproject.toml -o requirements.lock

clean: ## Remove the environment, local stacks and reports; the cache stays
	@rm -rf .venv .seawall out .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
