# Everything here works from a path with a blank in it: only relative paths are used.
.DEFAULT_GOAL := help
.PHONY: help setup demo run kafka test test-kafka kill-kafka search check bench lock notices sbom clean
MAKEFLAGS += --no-print-directory
VENV := .venv/bin
ARGS ?=
export PYRIGHT_PYTHON_GLOBAL_NODE = 0
export PYRIGHT_PYTHON_IGNORE_WARNINGS = 1
unexport PYTHONDONTWRITEBYTECODE # or every start of a service compiles two hundred files

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: ## Install everything into .venv (the other targets do this by themselves)
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
	  "$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	    && exec "$$python" deploy/set_up.py; \
	done; \
	echo "Wegenetz needs Python 3.11 or newer, with its venv module, and found none." >&2; \
	echo "Install it (Debian, Ubuntu: apt install python3 python3-venv) or name it: make PYTHON=/path/to/python3" >&2; \
	exit 2

demo: setup ## Watch a year of arrivals pass through the system (PEOPLE=500 SEED=1 COUNTY=03459 ONCE=1 BROKER=kafka)
	@$(VENV)/wegenetz demo $(if $(PEOPLE),--people "$(PEOPLE)") $(if $(SEED),--seed "$(SEED)") \
	  $(if $(COUNTY),--county "$(COUNTY)") $(if $(ONCE),--once) \
	  $(if $(BROKER),--broker "$(BROKER)") $(if $(NODES),--nodes "$(NODES)") $(ARGS)

run: setup ## Start the system and keep it up until Ctrl-C
	@$(VENV)/wegenetz up $(if $(BROKER),--broker "$(BROKER)") $(if $(NODES),--nodes "$(NODES)") $(ARGS)

kafka: setup ## Start Apache Kafka alone, until Ctrl-C (NODES=3; needs Java 17 and Maven)
	@$(VENV)/python -m deploy.kafka $(if $(NODES),--nodes "$(NODES)") $(ARGS)

test: setup ## Run the tests (ARGS="-k consent" for some of them)
	@$(VENV)/python -m tests.pages.chromium
	@$(VENV)/python -m tests.watching.promtool
	@$(VENV)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

test-kafka: setup ## Run the tests of the whole path and of faults on Apache Kafka (needs Java 17 and Maven)
	@BROKER=kafka $(VENV)/python -m pytest -n 2 --dist loadfile tests/faults tests/kafka tests/flow/test_year.py $(ARGS)

kill-kafka: setup ## By hand: three nodes of Apache Kafka under load, each of them and each service killed
	@BROKER=kafka $(VENV)/python -m pytest -n 0 -s -q tests/kafka/kill_nodes.py $(ARGS)

search: setup ## Look for examples that break a rule, twenty times as many as the tests do and others each time
	@$(VENV)/python -m pytest -n auto -m hypothesis --hypothesis-profile=search $(ARGS)

check: setup ## Style, types, who may import whom, the schemas that others read, and the files to deploy with
	@echo "ruff: style" && $(VENV)/ruff check
	@echo "ruff: format" && $(VENV)/ruff format --check
	@echo "pyright: types" && $(VENV)/pyright
	@echo "import-linter: who imports whom" && $(VENV)/lint-imports --no-logo
	@echo "schemas: compared with the committed ones" && $(VENV)/python -m schemas.compare
	@echo "deploy: compose, Kubernetes and image files against their schemas" && $(VENV)/python -m tests.deploying.validated

bench: setup ## Measure the speed of the whole path
	@$(VENV)/python -m tests.bench $(ARGS)

lock: setup ## Bring requirements.lock to what pyproject.toml says (ARGS=--upgrade: newer versions too)
	@$(VENV)/python deploy/set_up.py lock $(ARGS)

notices: setup ## Write THIRD-PARTY-NOTICES.md from the installed packages
	@$(VENV)/python -m deploy.notices

sbom: setup ## List what the image holds, as CycloneDX, in build/sbom.cdx.json
	@mkdir -p build && $(VENV)/python deploy/image/locked.py > build/runtime.lock
	@$(VENV)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-format JSON --output-file build/sbom.cdx.json build/runtime.lock
	@echo "build/sbom.cdx.json"

clean: ## Remove the data of the running system and all outputs
	@rm -rf var build
