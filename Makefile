# make run      set up what is missing and open the window      make run ARGS="scan.nii.gz"
# make test     set up and run every check                      make test ARGS="tests/core -x"
# make test-all the same with the slow tests
# make bench    measure start-up, slicing, files and generators; needs half an hour
# make format   put the code into its form
# make clean    remove what make made; make run sets it up again

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help run test test-all checks bench format clean

VENV := .venv/bin
# A screen of its own, drawn in software: the same on a desktop, a server and in CI.
ON_A_SCREEN := env -u WAYLAND_DISPLAY QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1920x1080x24 +extension GLX"

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

run:
	@packaging/setup.sh run
	@$(VENV)/python -m synthview $(ARGS)

checks:
	@packaging/setup.sh test
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports

test: checks
	$(ON_A_SCREEN) $(VENV)/python -m pytest -m "not slow" $(ARGS)

test-all: checks
	$(ON_A_SCREEN) $(VENV)/python -m pytest $(ARGS)

bench:
	@packaging/setup.sh test
	$(VENV)/python benchmarks/run.py $(ARGS)

format:
	@packaging/setup.sh test
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

clean:
	rm -rf .venv .setup build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
