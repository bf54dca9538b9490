# `make run` and `make test` do all the set-up on a machine with python3 (venv) and a C++ compiler.
# ARGS are passed on: make race ARGS="hops- --rounds 3".
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
WITH_TOOLS := PATH="$(abspath $(BIN)):$$PATH"
SOURCES := $(shell find src csrc -type f -not -name '*.pyc') pyproject.toml CMakeLists.txt constraints.txt
CPP_FILES = $$(find csrc -name '*.cpp' -o -name '*.hpp')

.PHONY: run test check nightly lint style spelling types imports tidy format \
    test-cpp sanitize test-python-sanitize fuzz count-instructions reproduce-quick \
    race race-exact bench interrupts tables ablation proposition search pages clean

run: $(VENV)/installed  ## install, then learn and decide on a synthetic graph
	$(BIN)/graphopt run

# A process for every processor, each on one thread; tests about threads ask for theirs.
test: $(VENV)/installed-test  ## install, then run all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto $(ARGS)

# --- check sessions -----------------------------------------------------------------------------
# Every check is one of these targets. .ci/run, .github/workflows and .pre-commit-config.yaml call
# them and add nothing of their own.

check: lint test-cpp test-cpp-processors test-cpp-portable test-cpp-arm64 count-instructions test  ## what every change must pass; under 20 minutes

nightly: sanitize tidy fuzz reproduce-quick  ## what takes longer
nightly: MINUTES ?= 60

lint: style spelling imports types  ## everything that a tool can enforce

style: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(CPP_FILES)

spelling: $(VENV)/installed-lint
	$(BIN)/codespell

imports: $(VENV)/installed-lint
	$(BIN)/lint-imports

types: $(VENV)/installed-lint  ## the library, the laboratory, the compiled modules, README's examples
	$(BIN)/mypy
	$(BIN)/stubtest --concise graphopt._native._core graphopt._native._convert
	$(BIN)/python -m tests.page_examples build/examples
	MYPYPATH=build/examples $(BIN)/mypy build/examples
	$(BIN)/pyright --pythonpath $(BIN)/python build/examples

tidy: $(VENV)/installed-build $(VENV)/installed-lint  ## clang-tidy on the kernels; some minutes
	$(WITH_TOOLS) cmake --preset release
	$(WITH_TOOLS) $(BIN)/run-clang-tidy.py -quiet -p build/release csrc/src

format: $(VENV)/installed-lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP_FILES)

# --- kernels under tools ------------------------------------------------------------------------

test-cpp: test-cpp-sanitize test-cpp-tsan test-python-sanitize  ## tests of kernels, under sanitizers

# The long form: every Python test that knows a kernel or its twin, and needs no PyTorch.
sanitize: KERNEL_TESTS = $(shell grep -rlE "^from.*(_core|_convert|reference|kernel_calls)" \
    tests/unit tests/property --include='*.py' | xargs grep -L torch)
sanitize: test-cpp  ## the same, some minutes longer

# The modules as build/sanitize has them, in a copy of the package. The stacks of allocations are
# cut off before the interpreter, which is known to leave memory to the end of the process.
KERNEL_TESTS = tests/unit/test_kernel_calls.py tests/unit/test_convert.py
library = $$($(CXX) -print-file-name=$(1))
test-python-sanitize: build-sanitize
	$(WITH_TOOLS) cmake --preset sanitize -DGRAPHOPT_BUILD_PYTHON=ON \
	    -Dpybind11_DIR="$$($(BIN)/python -m pybind11 --cmakedir)" \
	    -DCMAKE_MODULE_PATH="$$($(BIN)/python -c 'import cython_cmake; print(cython_cmake.__path__[0])')/cmake"
	$(WITH_TOOLS) cmake --build --preset sanitize
	rm -rf build/sanitize/package && mkdir build/sanitize/package
	cp -r src/graphopt build/sanitize/package/
	$(WITH_TOOLS) cmake --install build/sanitize --prefix build/sanitize/package
	PYTHONPATH=build/sanitize/package PYTHONMALLOC=malloc \
	    LD_PRELOAD="$(call library,libasan.so) $(call library,libstdc++.so)" \
	    ASAN_OPTIONS=malloc_context_size=4 \
	    LSAN_OPTIONS=suppressions=csrc/tests/lsan.supp:print_suppressions=0 \
	    $(BIN)/python -m pytest -q -p no:cacheprovider $(KERNEL_TESTS)

# test-cpp-processors: what users install, on older processors too; test-cpp-portable: compiled
# without AVX; test-cpp-arm64: cross-compiled. qemu imitates the processors.
test-cpp-%: build-%
	$(WITH_TOOLS) ctest --preset $*

build-%: $(VENV)/installed-build
	$(WITH_TOOLS) cmake --preset $*
	$(WITH_TOOLS) cmake --build --preset $*

fuzz: $(VENV)/installed-test  ## odd arguments and damaged files for all that is public; MINUTES=10
	mkdir -p build
	$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10) --jobs $(or $(JOBS),2) --keep --output build/fuzz.json

count-instructions: build-portable  ## of the main kernels, beside the stored counts; UPDATE=1 stores
	$(BIN)/python csrc/instructions/count.py build/portable/csrc/instructions/kernels $(if $(UPDATE),--update)

# --- the laboratory -----------------------------------------------------------------------------

race: $(VENV)/installed-race  ## speed beside other libraries; ARGS="--save benchmarks/results" keeps it
	$(BIN)/python -m benchmarks.race $(ARGS)

race-exact: $(VENV)/installed-race $(VENV)/installed-race-exact  ## exact k-center beside spopt
	$(BIN)/python -m benchmarks.race --exact $(ARGS)

bench: $(VENV)/installed-race  ## the same contests under pytest-benchmark
	$(BIN)/python -m pytest benchmarks/race $(ARGS)

interrupts: $(VENV)/installed-race  ## how long Ctrl-C waits, on an idle machine; about 5 minutes
	$(BIN)/python -m benchmarks.race.interrupts $(ARGS)

tables ablation proposition search: $(VENV)/installed-paper  ## the paper's experiments
	$(BIN)/python -m benchmarks.paper $@ $(ARGS)

# Without the published data every job would fail, so there is nothing to do.
reproduce-quick: $(VENV)/installed-paper  ## the paper's six tables, with few steps
	if [ -n "$$GRAPHOPT_DATA" ]; then \
	    folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	    $(BIN)/python -m benchmarks.paper tables --all --quick --output "$$folder"; \
	else echo "GRAPHOPT_DATA names no folder with the published data: nothing to reproduce"; fi

pages: $(VENV)/installed-paper  ## write the numbers of README and docs from the files with results
	$(BIN)/python -m benchmarks.paper.pages.build

# --- set-up -------------------------------------------------------------------------------------

clean:
	rm -rf build $(VENV)

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/installed: $(VENV)/python $(SOURCES)
	$(PIP) .
	touch $@

# installed-test, installed-lint, installed-race, ...: a dependency group of pyproject.toml.
$(VENV)/installed-%: $(VENV)/installed
	$(PIP) --group $*
	touch $@

$(VENV)/installed-lint: $(VENV)/installed-test
$(VENV)/installed-build: $(VENV)/installed-test
