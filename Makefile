# FlashLab's commands. `make` alone lists them. Each sets up and builds what it needs first.
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash

DEVICE ?= auto
CASE ?=
PRESET ?= quick
LAB ?= 4
SHAPE ?=
JOBS ?= $(shell nproc)
# Ninja runs cmake again by itself when a CMakeLists.txt changed.
NINJA := { test -f build/build.ninja || cmake -S . -B build -G Ninja -Wno-dev --log-level=WARNING; } && \
	cmake --build build --parallel $(JOBS)
# A terminal sees ninja's progress line; a log sees only what goes wrong.
QUIET := $(if $(MAKE_TERMOUT),,-- --quiet)

.PHONY: help
help: ## list these commands
	@echo "usage: make COMMAND"
	@echo
	@sed -nE 's/^([a-zA-Z%-]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | sed 's/^  lab%/  labN/' | expand -t 13
	@echo
	@echo "  options of labN and grade: DEVICE=auto|vgpu|cuda; of labN: CASE='glob of case names'"

.PHONY: demo
demo: build ## grade the staff solution of every lab on the virtual GPU and write build/report/index.html
	@./flashlab demo

.PHONY: test
test: build-all ## run every test: CTest for C++, pytest for Python
	@tools/setup.sh --test
	@tools/test.sh $(JOBS)

.PHONY: setup
setup: ## install what is missing (Debian packages, .venv, CUDA compiler); nothing to do: under a second
	@tools/setup.sh

.PHONY: build
build: setup ## compile the grader and the virtual GPU into build/
	@$(NINJA) --target flashlab-confine flashlab-judge flashlab-measure flashlab-worker vgpu cudart $(QUIET)

.PHONY: build-all
build-all: setup ## compile the tests and their CUDA programs too
	@$(NINJA) $(QUIET)

lab%: build FORCE ## grade labs/labN_*: make lab1, make lab1 CASE='forward_n130*'
	@./flashlab grade lab$* --device '$(DEVICE)' $(if $(CASE),--case '$(CASE)')

.PHONY: profile
profile: build ## show what a lab's kernels do, line by line: make profile LAB=4 SHAPE='heads=8,seq=512,d=64'
	@./flashlab profile '$(LAB)' $(if $(SHAPE),--shape '$(SHAPE)')

.PHONY: grade
grade: build ## grade every lab, then show the points of all
	@for lab in $(sort $(patsubst labs/%/lab.toml,%,$(wildcard labs/lab*/lab.toml))); do \
	 ./flashlab grade $$lab --device '$(DEVICE)' || exit; done; ./flashlab status

.PHONY: doctor
doctor: ## show what was found, what is missing and which device would be used; installs nothing
	@tools/setup.sh --check; missing=$$?; \
	 test ! -x .venv/bin/python || ./flashlab doctor || missing=1; exit $$missing

.PHONY: lint
lint: ## check format, clang-tidy, ruff, stubs and file sizes
	@tools/setup.sh --lint
	@$(MAKE) --no-print-directory build-all
	@tools/lint.sh $(JOBS)

.PHONY: format
format: ## reformat C++, CUDA and Python files in place
	@tools/setup.sh --lint
	@tools/format.sh

.PHONY: stubs
stubs: setup ## regenerate labs/ from solutions/
	@.venv/bin/python tools/make_stubs.py

.PHONY: handouts
handouts: ## make the chapters a site and a PDF in each language: build/handouts/index.html
	@tools/setup.sh --handouts
	@PYTHONPATH=grader .venv/bin/python tools/handouts build

.PHONY: bench
bench: build-all ## measure how fast the virtual GPU itself runs on this machine
	@.venv/bin/python tools/bench.py

.PHONY: sweep
sweep: build ## measure every lab's kernel over N: make sweep PRESET=quick|seeds|paper; goes on after Ctrl-C
	@./flashlab bench --preset '$(PRESET)' --device '$(DEVICE)'

.PHONY: clean
clean: ## remove what can be rebuilt; results and reports of graded labs stay
	@test ! -d build || find build -mindepth 1 -maxdepth 1 ! -name results ! -name report -exec rm -rf {} +

.PHONY: FORCE
FORCE:
