# Commands that need the solutions or the tests. Part of the Makefile above.

.PHONY: demo
demo: build ## grade the staff solution of every lab on the virtual GPU and write build/report/index.html
	@./flashlab demo

.PHONY: test
test: build-all ## run every test: CTest for C++, pytest for Python
	@tools/setup.sh --test
	@tools/test.sh $(JOBS)

.PHONY: build-all
build-all: setup ## compile the tests and their CUDA programs too
	@$(NINJA) $(QUIET)

TARGET ?= program
SECONDS ?= 600

.PHONY: sanitize
sanitize: build-all ## run the virtual GPU's programs under the address, undefined behaviour and thread sanitizers: half an hour
	@tools/sanitize.sh address $(JOBS) && tools/sanitize.sh thread $(JOBS)

.PHONY: fuzz
fuzz: setup ## look for inputs that break the virtual GPU: make fuzz TARGET=elf|fatbin|program|ptx|ptxas SECONDS=600
	@tools/fuzz.sh '$(TARGET)' '$(SECONDS)'

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
