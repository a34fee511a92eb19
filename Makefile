# Penstock: every step a developer or CI takes. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# A uv of our own when the machine has none: nothing is installed outside this folder.
export PATH := $(PATH):$(HOME)/.local/bin:$(CURDIR)/.penstock/uv/bin
PYTEST := uv run --frozen pytest

.PHONY: help setup demo check test test-fast faults chaos big-payloads fuzz-api image-check engines engine-kubernetes engine-keda growth docs format clean bench bench-quick

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## Install uv if it is missing, and the locked dependencies
	@command -v uv >/dev/null || { python3 -m venv .penstock/uv && .penstock/uv/bin/pip install --quiet uv; }
	@uv sync --frozen --quiet

demo: setup ## Read real scanned pages with a real OCR model on the local stack
	@uv run --frozen python -m examples.demo $(SCANS)

check: setup ## Lint, types, import rules
	uv run --frozen ruff format --check .
	uv run --frozen ruff check .
	uv run --frozen mypy
	uv run --frozen lint-imports
	uv run --frozen hadolint runtime_image/Dockerfile examples/containers/*/Dockerfile

test: setup ## All tests: unit, infra, bundle, integration and the local stack
	$(PYTEST)

test-fast: setup ## The tests that open no socket, in under a minute
	$(PYTEST) -m "not bundle and not integration and not e2e and not faults and not fuzz"

faults: setup ## Crash, stall and cut off everything, 100,000 steps (REPORT=1 writes the page)
	@mkdir -p .penstock
	@failed=; \
	PENSTOCK_FAULT_PROFILE=long PENSTOCK_FAULT_REPORT=.penstock/faults.json $(PYTEST) tests/faults \
		|| failed="$$failed tests/faults"; \
	uv run --frozen python -m tests.faults.processes.chaos || failed="$$failed chaos"; \
	$(if $(REPORT),uv run --frozen python -m tests.faults.report .penstock/faults.json || failed="$$failed report";) \
	test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }

chaos: setup ## 1,000 requests on the local stack while workers are killed and AWS fails
	@uv run --frozen python -m tests.faults.processes.chaos

big-payloads: setup ## 1 GiB in and 1 GiB out through one dispatcher, and what memory it took
	PENSTOCK_BIG_PAYLOAD_MIB=1024 $(PYTEST) -s tests/e2e/test_big_payloads.py

fuzz-api: setup ## Random calls of everything documented on the local stack, ten minutes
	@uv run --frozen python -m tests.fuzz

image-check: setup ## Build the images with buildah and finish requests on them (needs root, Debian)
	@$(PYTEST) -v -s -rs tests/images/check_images.py

engines: setup ## The real engines that have been run: Kubernetes (needs Go 1.26; the first run builds for many minutes)
	@$(PYTEST) -v -s -rsx tests/engines/check_kubernetes_*.py

engine-kubernetes: setup ## The stacks' objects on a real API server, scheduler and controllers
	@$(PYTEST) -v -s -rsx tests/engines/check_kubernetes_*.py

engine-keda: setup ## Our ScaledObjects under real KEDA (never run yet, so not in `engines`)
	@$(PYTEST) -v -s -rsx tests/engines/check_keda*.py

bench: setup ## What the platform costs beside its floors and its peers; writes docs/performance.md
	@uv run --frozen python -m bench --write

bench-quick: setup ## The main ratios, in under a minute
	@uv run --frozen python -m bench --quick

growth: setup ## Declare stacks of 50 and 1,000 deployments: how long, how much, what AWS refuses
	@uv run --frozen python -m tests.infra.growth 50 1000

docs: setup ## Write docs/openapi.yaml from the contracts, docs/settings.md from the settings
	uv run --frozen python -m penstock.dialects.openapi > docs/openapi.yaml
	uv run --frozen python -m infra.settings.reference > docs/settings.md

format: setup ## Format and fix what can be fixed
	uv run --frozen ruff format .
	uv run --frozen ruff check --fix .

clean: ## Stop the local stack and remove everything that can be made again
	-@uv run --frozen penstock local down
	rm -rf .penstock .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis
