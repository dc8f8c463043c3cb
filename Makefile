# CyberGIS-Compute. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Arguments of the deployment scenario; `STORY` is the former name.
SCENARIO ?= $(STORY)
RUNS ?= 10
# Of `make chaos`: a number that decides all faults, and seconds.
SEED ?= 1
TIME ?= 60
WORLD ?= $(CURDIR)/run/world
export CYBERGIS_CACHE ?= /var/cache/cybergis-compute
SUDO := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=PATH,HOME,CARGO_HOME,RUSTUP_HOME,CYBERGIS_CACHE)

.PHONY: help demo up down test test-hard chaos test-compose coverage lint deny unused format openapi build install

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Run the hello-world job, from the Python client to Slurm and back
	@deploy/local/install slurm containers redis jupyter
	@$(MAKE) --no-print-directory build
	@$(SUDO) deploy/local/demo

up: ## Start all services and JupyterLab, and leave them running until `make down`
	@deploy/local/install slurm containers redis jupyter
	@$(MAKE) --no-print-directory build
	@$(SUDO) deploy/local/up "$(WORLD)"

down: ## Stop the services that `make up` started
	@$(SUDO) deploy/local/world down "$(WORLD)"

test: ## Run all tests; installs and starts the parts that they need
	@deploy/local/install slurm containers databases redis jupyter browser checks proxy
	@$(MAKE) --no-print-directory build
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest
	cargo nextest run --workspace --no-run
	$(SUDO) deploy/local/with-parts deploy/local/all-tests $(TESTS)

test-hard: ## Run all scenarios RUNS times (10) beside a busy core, and count failures
	@deploy/local/install slurm containers databases redis jupyter browser checks proxy
	@$(MAKE) --no-print-directory build
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest
	cargo nextest run -p compute-integration-tests --no-run
	$(SUDO) deploy/local/test-hard --runs $(RUNS) $(TESTS)

chaos: ## Random faults (SEED, TIME in seconds) against all parts while jobs run; or TARGET=NAME (TARGET=list)
	@deploy/local/install slurm containers databases redis jupyter
	@$(MAKE) --no-print-directory build
	$(SUDO) deploy/local/chaos $(or $(TARGET),$(SEED) $(TIME) $(KIND))

test-compose: ## Test the deployment in containers: two HPCs, JupyterHub, restarts under load, backup and restore
	@deploy/local/install compose
	$(SUDO) deploy/compose/with-engine integration-tests/compose/all-scenarios $(SCENARIO)

coverage: ## Print how much of the job's life and the routes the in-process tests run
	@deploy/local/install slurm containers databases redis jupyter coverage
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked cargo-nextest
	$(SUDO) deploy/local/coverage

build:
	cargo build --workspace --bins

lint: deny unused ## Check format, clippy, documentation and dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

deny: ## Check licences, sources and duplicates of the dependencies (deny.toml); uses the crate registry only
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny@0.20.2
	cargo fetch --locked --target x86_64-unknown-linux-gnu
	cargo deny --offline check -D unmatched-skip bans licenses sources

unused: ## Check that every dependency is used
	@cargo machete --version >/dev/null 2>&1 || cargo install --locked cargo-machete@0.9.2
	cargo machete

format: ## Format the code
	cargo fmt --all

openapi: ## Generate docs/openapi.json from the handlers
	UPDATE_OPENAPI=1 cargo nextest run -p compute-gateway openapi
