# CyberGIS-Compute. `make help` lists what can be done.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Arguments of the deployment scenario; `STORY` is the former name.
SCENARIO ?= $(STORY)
RUNS ?= 10
WORLD ?= $(CURDIR)/run/world
export CYBERGIS_CACHE ?= /var/cache/cybergis-compute
SUDO := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=PATH,HOME,CARGO_HOME,RUSTUP_HOME,CYBERGIS_CACHE)

.PHONY: help demo up down test test-hard test-compose lint deny format openapi build install

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Run the hello-world job through everything, from the Python client to Slurm and back
	@deploy/local/install slurm containers redis jupyter
	@$(MAKE) --no-print-directory build
	@$(SUDO) deploy/local/demo

up: ## Leave a whole world running, with JupyterLab, until `make down`
	@deploy/local/install slurm containers redis jupyter
	@$(MAKE) --no-print-directory build
	@$(SUDO) deploy/local/up "$(WORLD)"

down: ## Stop what `make up` started
	@$(SUDO) deploy/local/world down "$(WORLD)"

test: ## Run all tests; what they need is installed and started
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

test-compose: ## The deployment in containers: images, two HPCs, JupyterHub, restarts under load, back-up and restore
	@deploy/local/install compose
	$(SUDO) deploy/compose/with-engine integration-tests/compose/all-scenarios $(SCENARIO)

build:
	cargo build --workspace --bins

lint: deny ## Format, clippy, documentation, dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

deny: ## Licences, sources and duplicates of the dependencies (deny.toml); asks the crate registry alone
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny@0.20.2
	cargo fetch --locked --target x86_64-unknown-linux-gnu
	cargo deny --offline check -D unmatched-skip bans licenses sources

format: ## Format the code
	cargo fmt --all

openapi: ## Write docs/openapi.json from the handlers
	UPDATE_OPENAPI=1 cargo nextest run -p compute-gateway openapi
