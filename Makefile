# Each target says what it is for; `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14

.PHONY: bench
bench: ## Measure the operator's figures as ratios within one run (SCALE=small: a quick check; ONLY=types, admission, plugin, vaults, world or its part changes)
	@cargo build -q --release --locked -p connection-operator -p benches
	@[[ $${ONLY:-plugin} != plugin ]] || cargo build -q --profile compact --locked -p connection-operator --bin kubectl-connections
	@"$${CARGO_TARGET_DIR:-target}/release/benches"

.PHONY: demo
demo: ## Tell the story of a connection on a real cluster (KEEP=1: leave it running)
	@tools/demo

.PHONY: image
image: ## Build the images and their bills of materials into dist/
	@cargo run -q --locked -p local-cluster -- image dist
	@tools/sbom dist/connection-operator.cdx.json
	@tools/sbom dist/connection-connector.cdx.json connector

.PHONY: release
release: ## Pack kubectl connections for other machines into dist/release, with checksums and a manifest for krew (TARGETS, URL: see tools/release)
	@tools/release

.PHONY: generate
generate: ## Write the generated files anew: CRDs and docs
	@mkdir -p crds charts/connection-operator/files/crds
	@cargo run -q -- crds --directory crds
	@cp crds/*.yaml charts/connection-operator/files/crds/
	@cargo run -q -- conditions > docs/conditions.md
	@cargo run -q -- catalog > docs/catalog.md
	@cargo run -q -p local-cluster -- values > docs/values.md

.PHONY: fuzz-types
fuzz-types: ## Try a million hostile types and values (PROPTEST_CASES: hundreds of them)
	@PROPTEST_CASES=$${PROPTEST_CASES:-10000} cargo test -q --release --locked --lib -- hostile

.PHONY: model
model: ## Explore the model one act further than the tests do (MODEL_ACTS, MODEL_FAULTS, MODEL_VISITS: so many more; MODEL_SCENE: one scene)
	@MODEL_ACTS=$${MODEL_ACTS:-1} cargo test -q --workspace --locked --test model -- every_promise --nocapture

.PHONY: lint
lint: ## Check format, lints, dependencies, charts and generated files
	@tools/lint

.PHONY: test
test: ## Run all tests, setting up what they need
	@tools/test

.PHONY: up
up: ## Start a Kubernetes with the operator on this machine, or bring it up to date (CLUSTER=existing: use yours)
	@cargo run -q --locked -p local-cluster -- up

.PHONY: vault-stand-in
vault-stand-in: ## Start stand-ins for Azure Key Vault and Vault, on loopback if DATA says nothing else (DATA=FILE: with secrets of your own)
	@cargo run -q --locked -p vault-stand-in -- $(DATA)

.PHONY: rusty-vault
rusty-vault: ## Build RustyVault into the cache, a real server of Vault's API for tests (needs libssl-dev)
	@tools/rusty-vault --version

.PHONY: down
down: ## Stop it and remove what it left (CLUSTER=existing: uninstall the operator)
	@cargo run -q --locked -p local-cluster -- down

.PHONY: test-oldest
test-oldest: ## Run the tests that need an API server on the oldest Kubernetes that the chart is for
	@tools/test-oldest

.PHONY: test-node
test-node: ## Test what only a whole node can show; needs Linux and root
	@tools/test-node
