# `make run` and `make test` do all the set-up on a machine with python3 (venv) and a C++ compiler.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
WITH_TOOLS := PATH="$(abspath $(BIN)):$$PATH"
SOURCES := $(shell find src csrc -type f -not -name '*.pyc') pyproject.toml CMakeLists.txt constraints.txt

.PHONY: run test lint test-cpp sanitize test-python-sanitize fuzz count-instructions reproduce-quick bench interrupts pages format clean

run: $(VENV)/installed  ## install, then learn and decide on a synthetic graph
	$(BIN)/graphopt run

# A process for every processor, each on one thread; tests about threads ask for theirs.
test: $(VENV)/installed-test  ## install, then run all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

lint: $(VENV)/installed-lint  ## everything a tool can enforce
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $$(find csrc -name '*.cpp' -o -name '*.hpp')
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/stubtest --concise graphopt._native._core graphopt._native._convert

test-cpp: test-cpp-sanitize test-cpp-tsan test-python-sanitize  ## tests of kernels, under sanitizers

# The long form: every Python test that knows a kernel or its twin, and needs no PyTorch.
sanitize: KERNEL_TESTS = $(shell grep -lE "^from.*(_core|_convert|reference|kernel_calls)" tests/unit/*.py \
    tests/property/*.py | xargs grep -L torch)
sanitize: test-cpp  ## the same, some minutes longer

# The modules as build/sanitize has them, in a copy of the package. The stacks of allocations are
# cut off before the interpreter, which is known to leave memory to the end of the process.
KERNEL_TESTS = tests/unit/test_kernel_calls.py tests/unit/test_convert.py
library = $$($(CXX) -print-file-name=$(1))
test-python-sanitize: build-sanitize $(VENV)/installed-build
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

build-%: $(VENV)/installed-lint
	$(WITH_TOOLS) cmake --preset $*
	$(WITH_TOOLS) cmake --build --preset $*

fuzz: $(VENV)/installed-test  ## odd arguments and damaged files for all that is public; MINUTES=10
	mkdir -p build
	$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10) --jobs $(or $(JOBS),2) --keep --output build/fuzz.json

count-instructions: build-portable  ## of the main kernels, beside the stored counts; UPDATE=1 stores
	$(BIN)/python csrc/instructions/count.py build/portable/csrc/instructions/kernels $(if $(UPDATE),--update)

# Without the published data every job would fail, and so it is left out.
reproduce-quick: $(VENV)/installed  ## the paper's six tables, with few steps
	if [ -n "$$GRAPHOPT_DATA" ]; then \
	    folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	    $(BIN)/graphopt reproduce --all --quick --output "$$folder"; \
	else echo "GRAPHOPT_DATA names no folder with the published data: nothing to reproduce"; fi

bench: $(VENV)/installed-bench  ## speed beside other libraries
	$(BIN)/python -m pytest benchmarks

interrupts: $(VENV)/installed-bench  ## how long Ctrl-C waits, on an idle machine; about 5 minutes
	$(BIN)/python benchmarks/interrupts.py

pages: $(VENV)/installed  ## write the numbers of README and docs from the files with results
	$(BIN)/python -m benchmarks.paper.pages.build

format: $(VENV)/installed-lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $$(find csrc -name '*.cpp' -o -name '*.hpp')

clean:
	rm -rf build $(VENV)

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/installed: $(VENV)/python $(SOURCES)
	$(PIP) .
	touch $@

$(VENV)/installed-test: $(VENV)/python $(SOURCES)
	$(PIP) '.[test]'
	touch $(VENV)/installed $@

$(VENV)/installed-lint: $(VENV)/python $(SOURCES)
	$(PIP) '.[test,lint]'
	touch $(VENV)/installed $(VENV)/installed-test $@

# What the modules are built with, for builds outside pip's own surroundings.
$(VENV)/installed-build: $(VENV)/installed-lint
	$(PIP) pybind11 cython cython-cmake
	touch $@

$(VENV)/installed-bench: $(VENV)/python $(SOURCES)
	$(PIP) '.[bench]'
	touch $(VENV)/installed $@
