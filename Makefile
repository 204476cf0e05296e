# Kommunepuls. `make run` shows a town live, `make test` tests everything; both set up what they need.
PYTHON ?= python3
BIN := .venv/bin
UNIT := not integration and not journey and not browser and not kafka
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-unit test-integration test-journeys test-kafka bench screenshots lint format generate lock keys compose-check images clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Make .venv with what running needs
	@$(PYTHON) tools/bootstrap.py run

setup-dev: ## Make .venv with what tests and checks need
	@$(PYTHON) tools/bootstrap.py dev

run: setup ## Start everything with a demo town; TOWN=path/to/town.yaml takes real sources
	@$(BIN)/python -m kommunepuls_development $(if $(TOWN),--town $(TOWN)) $(ARGS)

test: setup-dev ## Run all checks and tests but those on Apache Kafka (about 15 minutes on 2 cores)
	@tools/peers.sh
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n 2 --dist loadfile -m "$(UNIT)" $(ARGS)
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "(integration or journey or browser) and not kafka" $(ARGS)

test-unit: setup-dev ## Run the tests that need no socket
	$(BIN)/pytest -n 2 --dist loadfile -m "$(UNIT)" $(ARGS)

test-integration: setup-dev ## Run the tests against the embedded broker and stores
	$(BIN)/pytest -m integration $(ARGS)

test-journeys: setup-dev ## Follow items to residents, every service its own process
	$(BIN)/pytest -m journey tests/journeys $(ARGS)

test-kafka: setup-dev ## Run the contract suite and the journeys on Apache Kafka (see docs/broker-differences.md)
	KP_TEST_KAFKA=apache $(BIN)/pytest -m "kafka or journey" libs/devbroker/tests/contract tests/journeys $(ARGS)

lint: setup-dev ## Check style, imports between rooms, and generated files
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m kommunepuls_events.generate --check .

format: setup-dev ## Format the code
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

generate: setup-dev ## Write schemas, AsyncAPI, topics and ACLs from the contract
	$(BIN)/python -m kommunepuls_events.generate .

lock: setup-dev ## Pin the dependencies anew
	tools/lock.sh

keys: setup ## Print fresh keys for a deployment, as environment lines
	@$(BIN)/python -m notifier.keys

bench: setup-dev ## Measure matching and delivery beside their peers; QUICK=1 is a smaller form below 3 minutes
	$(BIN)/python benchmarks $(if $(QUICK),--quick) $(ARGS)

screenshots: setup-dev ## Make the pictures in docs/screenshots anew (about 2 minutes)
	$(BIN)/python tools/screenshots.py $(ARGS)

compose-check: setup-dev ## Check compose file, chart, image, alerts and runbook against the code
	$(BIN)/pytest deploy/tests $(ARGS)
	@if docker compose version >/dev/null 2>&1; then docker compose --env-file deploy/tests/compose.env config --quiet; \
	else echo "docker compose is not installed: its own check is left out"; fi

images: ## Build the image of all services
	docker build -f deploy/images/Dockerfile -t kommunepuls:$${VERSION:-dev} --build-arg VERSION=$${VERSION:-dev} --build-arg REVISION=$$(git rev-parse HEAD) .

clean: ## Remove the environment and everything that was run
	rm -rf .venv .run .cache
