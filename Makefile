# make run      set all up and serve http://localhost:5000 (PORT=, HOST=, REDIS_URL=, JOBS_PATH=, ... as below)
# make run APPS=1   with the example apps (Bokeh, Flexx) behind it
# make worker   set all up and run a worker for the server of `make run`, or that of REDIS_URL; ARGS are Celery's (docs/workers.md)
# make build    set all up, the page included, and stop there
# make test     set all up and run every test; ARGS="-k name" goes to pytest
# make test-threads   those of them that continuous integration runs on the second hub, too, there (docs/development.md)
# make check    lint, formatting, types: Python and TypeScript
# make test-containers   tests of the containers on a Docker engine; ARGS as above, COMPOSE="docker compose"
# make conformance   raw WebSockets against the Autobahn test suite; ARGS="12.*" picks cases
# make soak     the tests of exact resume and of faults, SOAK_SECONDS (300) each, in random order; writes docs/faults.md
# make bench    the benchmarks; ARGS="stream_latency" picks some
# make format   put the Python sources into the project's format
# make lock     write the lock files anew from pyproject.toml; UPGRADE=1 takes newer versions
# make clean    remove what the above made
#
# Variables given on the command line reach the program as environment: make run PORT=8000 JOBS_PATH=~/jobs
# PYTHON chooses the interpreter (3.10 or newer): make run PYTHON=python3.12

PYTHON ?= python3
ARGS ?=
APPS ?=
# Tests mostly wait: three at once for each core, those of a file one after the other, long files first
# (tests/support/selection.py). ARGS="-n 0" for a debugger.
WORKERS := -n $$((3 * $$(nproc 2>/dev/null || echo 2))) --dist loadfile --no-loadscope-reorder
BIN := .venv/bin

# Tests start a thousand interpreters: each would compile all modules anew.
test test-threads test-containers soak: export PYTHONDONTWRITEBYTECODE :=

.PHONY: run worker build test test-threads test-containers soak check conformance bench format lock clean python ready-to-run ready-to-test
.DEFAULT_GOAL := run

# exec: Ctrl+C and a stop signal reach the server itself, not a shell in between.
run: ready-to-run
	@exec env $(if $(APPS),APPS_FILE="$${APPS_FILE:-examples/apps.toml}") $(BIN)/python wsgi.py

worker: ready-to-run
	@exec $(BIN)/python -m celery --app worker worker $(ARGS)

build: ready-to-run

# The page's tests first: the last line is pytest's. Both run, whatever the other says.
test: ready-to-test
	@tools/install_test_system.sh
	@status=0; \
	$(BIN)/python tools/node.py test.mjs || status=1; \
	$(BIN)/python -m pytest $(WORKERS) $(ARGS) || status=1; \
	exit $$status

test-threads: ready-to-test
	@tools/install_test_system.sh
	@ASYNC_MODE=threading $(BIN)/python -m pytest -m hub $(WORKERS) $(ARGS)

# Exit code 3: there is no engine here, and none can be had; it has said so, and outside of CI that is no fault.
test-containers: ready-to-test
	@tools/install_test_system.sh
	@status=0; tools/install_docker.sh || status=$$?; \
	if [ $$status = 3 ]; then exit 0; fi; \
	[ $$status = 0 ] && $(BIN)/python -m pytest tests/containers $(ARGS)

check: ready-to-test
	@status=0; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/mypy || status=1; \
	$(BIN)/python tools/node.py node_modules/typescript/bin/tsc --noEmit || status=1; \
	exit $$status

# No part of the lock files: nothing else needs it.
conformance: ready-to-test
	@[ -d build/conformance/kosoku ] || $(BIN)/python -m pip install --quiet --target build/conformance kosoku==0.1.0
	@PYTHONPATH=build/conformance $(BIN)/python -m tests.sockets.autobahn $(ARGS)

soak: ready-to-test
	@tools/install_test_system.sh
	@SOAK_SECONDS="$${SOAK_SECONDS:-300}" FAULT_REPORT="$${FAULT_REPORT:-docs/faults.md}" \
		$(BIN)/python -m pytest -s tests/integration/test_exact_resume.py tests/faults $(ARGS)

bench: ready-to-test
	@$(BIN)/python -m benchmarks $(ARGS)

format: ready-to-test
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: python
	@PYTHON="$(PYTHON)" tools/lock.sh $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .venv frontend/node_modules flask_realtime/static/dist dist build \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

ready-to-run: python
	@"$(PYTHON)" tools/prepare.py $(if $(APPS),apps,run)

ready-to-test: python
	@"$(PYTHON)" tools/prepare.py test

python:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
		echo "$(PYTHON) is not on PATH: install Python 3.10 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; sys.exit("Python %d.%d is too old, 3.10 or newer is needed: make PYTHON=/path/to/python3" % v[:2] if v < (3, 10) else 0)'
