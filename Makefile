# `make demo` and `make test` are all a newcomer needs; the rest is for developers.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
JOBS   ?= 3
# litellm is left out: it is read as data alone, and brings more packages than all the rest
EXTRAS := datadog otel gemini bedrock routing dev

.PHONY: setup demo test lint style types check prove reference requirements sbom licences audit clean

setup: $(READY)  ## virtual environment with pinned, hashed dependencies and the harness itself

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("harness needs Python 3.11 or later; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## 300 requests against the emulated providers, gated and reported
	@$(BIN)/harness demo

test: $(READY)  ## the whole suite, seeded, offline
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

lint: $(READY)  ## format, lint, types, layers
	@$(MAKE) --no-print-directory -j2 style types

style: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

types: $(READY)
	@$(BIN)/mypy

check: lint test  ## what a commit must pass

prove: $(READY)  ## long campaigns; writes their tables into docs/proof
	@$(BIN)/python -m tests.campaigns

reference: $(READY)  ## docs/reference.md anew
	@$(BIN)/python docs/reference.py

requirements:  ## compile requirements.txt anew (needs the network)
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras $(EXTRAS:%=--extra %) \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements.txt pyproject.toml

sbom: $(READY)  ## build/sbom.json (CycloneDX) of the pinned requirements
	@mkdir -p build
	@$(BIN)/python -m cyclonedx_py requirements --output-reproducible -o build/sbom.json requirements.txt

licences: $(READY)  ## docs/licences.md anew
	@$(BIN)/python -m supply.licences

audit: $(READY)  ## the pinned requirements against the shipped, dated advisories
	@$(BIN)/python -m supply.advisories

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
