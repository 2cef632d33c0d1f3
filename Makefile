# Each target does its own set-up: a virtual environment, then what it needs in it.
PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
RUN = $(VENV)/bin

.PHONY: verify test coverage lint bench clean

verify: $(VENV)/installed
	$(RUN)/scorecert verify --jobs $(JOBS) --report report.json

test: $(VENV)/installed-test
	$(RUN)/python -m pytest --doctest-modules tests theory numerics proofs_check

# The same tests, traced: half as long again.
coverage: $(VENV)/installed-test
	$(RUN)/python -m pytest --doctest-modules --cov --cov-report=term tests theory numerics proofs_check

lint: $(VENV)/installed-lint
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

bench: $(VENV)/installed
	$(RUN)/python -m benchmarks

clean:
	rm -rf $(VENV) build .scorecert report.json

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(RUN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(RUN)/python -m pip install --quiet --constraint constraints.txt --editable ".[data,figures]"
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(RUN)/python -m pip install --quiet --constraint constraints.txt --group test
	@touch $@

$(VENV)/installed-lint: $(VENV)/installed-test
	$(RUN)/python -m pip install --quiet --constraint constraints.txt --group lint
	@touch $@
