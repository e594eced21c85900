# Each task works as the first command after `git clone`, with make and Python 3.11 or newer.
# Without make (Windows): the README shows the plain commands.

# Tried in this order: first the versions that constraints.txt was tested with.
PYTHON ?= python3.13 python3.12 python3.11 python3 python

python := .venv/bin/python

.PHONY: help start lab run test test-slow test-all notebooks translate student grade book book-pdf \
  data lint lint-ja clean
.NOTPARALLEL:

help: ## list the tasks
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | while read -r task what; do \
	  printf 'make %-10s %s\n' "$$task" "$$what"; done

start: .venv/installed ## write the lessons for you to work on, open the first in JupyterLab [COURSE_LANG=ja]
	$(language) $(python) -m classroom.start

lab: .venv/installed ## open the complete lessons, solutions included, in JupyterLab
	$(python) -m jupyterlab $(as_root) notebooks/01_forward.ipynb

run: .venv/installed ## execute the lessons without a browser; the copies go to build/lessons/
	$(python) tests/run_lessons.py

test: .venv/installed-test ## test the library and compare the outputs of the lessons
	$(python) -m pytest $(both_cores) -m "not slow"

test-all: test test-slow ## the same and the slow tests

# Hypothesis then looks for hundreds of examples in place of tens.
test-slow: .venv/installed-test
	$(python) -m pytest $(both_cores) -m "slow or hypothesis"

notebooks: .venv/installed-test ## execute the lessons in place: renews the committed outputs, translations too
	$(python) tests/run_lessons.py --inplace
	$(python) docs/make_figures.py
	$(python) tests/translate.py

translate: .venv/installed-test ## write the lessons in other languages, list what is to be translated
	PYTHONPATH=. $(python) tests/translate_library.py
	$(python) tests/translate.py

# What is not given is not passed on: the defaults stand in the programs.
option = $(if $($(1)),--$(2)="$($(1))")

# In which language lessons are written, and checks speak: English unless given.
COURSE_LANG ?= $(RNN_LIB_LANG)
language = RNN_LIB_LANG="$(COURSE_LANG)"

student: .venv/installed ## write the lessons without solutions to build/student/ [KEEP_BOTH=1 REPOSITORY= COURSE_LANG=]
	$(language) $(python) -m classroom.edition $(if $(KEEP_BOTH),--keep-both) $(call option,REPOSITORY,repository)

grade: .venv/installed-$(if $(SCHEDULER),cluster,class) ## grade a class: SUBMISSIONS=folder-or-zip [ROSTER= JOBS= TIMEOUT= MEMORY= SEED= SANDBOX=none SCHEDULER=]
	@$(if $(SUBMISSIONS),,echo "Which notebooks? make grade SUBMISSIONS=folder-or-zip"; exit 1)
	$(python) -m classroom.grade "$(SUBMISSIONS)" $(call option,JOBS,jobs) \
	  $(call option,TIMEOUT,timeout) $(call option,MEMORY,memory) $(call option,SEED,seed) \
	  $(call option,ROSTER,roster) $(call option,SANDBOX,sandbox) \
	  $(call option,SCHEDULER,scheduler)

book: .venv/installed-book ## make the web book and e-books in build/book/; needs npm, once [REPOSITORY=]
	$(python) docs/make_book.py $(call option,REPOSITORY,repository)

book-pdf: .venv/installed-book ## the same, and PDFs, printed by Chromium [REPOSITORY=]
	$(python) docs/make_book.py --pdf $(call option,REPOSITORY,repository)

data: .venv/installed ## download the authors' archive of reviews into data/
	$(python) data/download.py

lint: .venv/installed-test ## check the code's style, notebooks included, and which module imports which
	$(python) -m ruff check
	$(python) -m ruff format --check
	.venv/bin/lint-imports --no-cache --no-logo

lint-ja: .venv/installed-test ## check the style of the Japanese prose; needs npm
	$(python) tests/lint_japanese.py

clean: ## remove what was built; .venv, data/, and the work of students and teachers stay
	rm -rf *.egg-info .pytest_cache .ruff_cache .hypothesis notebooks/.ipynb_checkpoints
	if [ -d build ]; then find build -mindepth 1 -maxdepth 1 \
	  ! -name student ! -name class -exec rm -rf {} +; fi
	find data rnn_lib tests classroom -name __pycache__ -prune -exec rm -rf {} +

# A notebook's cells share a kernel, a file's tests what they have made: a file goes to one worker,
# the long files first (conftest.py).
both_cores = --numprocesses=2 --dist=loadfile --no-loadscope-reorder

# Jupyter refuses to run as root, which is what one is in most containers, unless told to.
as_root = $(if $(filter 0,$(shell id -u)),--allow-root)

# The stamp makes a second call quick. It does not count when the environment's Python is gone or
# finds the package elsewhere: Python was upgraded, or the clone was moved.
here := import os, importlib.util as u; print(os.path.samefile(u.find_spec("rnn_lib").origin, "rnn_lib/__init__.py"))
ifneq ($(shell $(python) -I -c '$(here)' 2>/dev/null),True)
.PHONY: .venv/installed
endif

.venv/installed: pyproject.toml constraints.txt
	@$(python) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && exit; \
	for candidate in $(PYTHON); do \
	  version=$$("$$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	  case $$version in \
	    2.* | 3.[0-9] | 3.10) echo "$$candidate is Python $$version: too old."; continue;; \
	  esac; \
	  echo "Making .venv with Python $$version ($$candidate)."; \
	  "$$candidate" -m venv --clear .venv && exit; \
	  echo "$$candidate cannot make a virtual environment; on Debian and Ubuntu: apt install python$$version-venv"; \
	done; \
	echo "Python 3.11 or newer is needed, with its venv module. Tried: $(PYTHON)."; \
	echo "If yours has another name: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1
	@echo 'Installing into .venv: a minute or two, once.'
	@$(call install,.)
	@# Matplotlib lists the fonts once, with a warning that would appear in a lesson's output.
	@$(python) -c 'import matplotlib.font_manager'
	@touch $@

.venv/installed-%: .venv/installed
	@$(call install,.[$*])
	@touch $@

install = $(python) -m pip install --editable "$(1)" --constraint constraints.txt || { \
  echo "The installation failed: see above. It needs the network; later all but 'make data' works offline."; \
  exit 1; }
