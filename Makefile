# The workbook's commands. They work with GNU make 3.81 (macOS). Without make (Windows), see the
# README for the same commands in full.

# The first Python found starts the set-up, which looks for another one when this does not fit.
# `make PYTHON=/path/to/python venv` takes that one and no other.
ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python3.10 python; do \
	command -v $$p && break; done)
else
THIS_PYTHON := --this-python
endif

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

# Jupyter refuses root unless told; in a container there often is nobody else.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# A room without a network: `make wheelhouse` where there is one, then there
# `make WHEELHOUSE=wheelhouse venv`.
FROM := $(if $(WHEELHOUSE),--wheelhouse "$(WHEELHOUSE)")

SETUP = @$(strip "$(or $(PYTHON),python3)" scripts/setup_venv.py $(THIS_PYTHON) $(FROM))

define LAB
-@$(BIN)/jupyter trust --log-level=ERROR notebooks/*.ipynb > /dev/null
cd notebooks && ../$(BIN)/jupyter lab --ip=127.0.0.1 $(AS_ROOT) \
	--LabApp.default_url=/lab/tree/00-start-here.ipynb
endef

.PHONY: help venv lab replay test soak site slides reproduce refresh figures house lock wheelhouse peers cluster

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' Makefile | while IFS=: read -r name text; do \
		printf '  make %-12s%s\n' "$$name" "$$text"; done

venv: ## make .venv with everything in it; done once, then a look
	$(SETUP)

lab: venv ## open the workbook in JupyterLab
	$(LAB)

replay: export WORKBOOK_REPLAY = $(or $(MACHINE),1)
replay: ## open the workbook with a committed run in place of measuring; needs no TensorFlow
	$(SETUP) --without-tensorflow
	$(LAB)

test: venv ## check the style, then run every test and every notebook in quick mode
	@$(BIN)/ruff check helpers tests scripts
	@$(BIN)/ruff format --check helpers tests scripts
	@$(BIN)/python tests/browser_finder.py
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

soak: venv ## run the tests of the exercises fifty times while every core is busy
	$(BIN)/python scripts/soak.py

site: venv ## build pages to read without running, in site/
	$(BIN)/python scripts/make_site.py

slides: venv ## build slides of the notebooks, in slides/
	$(BIN)/python scripts/make_slides.py

reproduce: venv ## run every notebook in full and write results/
	$(BIN)/workbook reproduce

refresh: venv ## run every notebook in full and store its figures in it
	$(BIN)/workbook refresh

figures: venv ## make the figures that the README shows
	$(BIN)/python scripts/make_figures.py

house: venv ## draw the figure of docs/architecture.md from the code
	$(BIN)/python scripts/draw_house.py

lock: venv ## compile requirements.txt anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.10 \
		--extra test --extra author --strip-extras --upgrade \
		--custom-compile-command "make lock" --output-file requirements.txt

wheelhouse: ## gather all packages in wheelhouse/, to install from without a network
	$(SETUP) --gather wheelhouse

peers: ## add PyTorch, Grain and Datasets, to compare with
	$(SETUP) --peers

cluster: ## add Ray, for Python on many machines
	$(SETUP) --cluster
