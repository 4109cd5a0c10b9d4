# The gate, the same here and in continuous integration: `make check`.

PYTHON ?= python3
PLUGINS = $(wildcard plugins/*/)
ATTACKS = $(wildcard benchmarks/attack_*.py)

.DEFAULT_GOAL = help
.PHONY: help install fix check format lint types imports docs docs-check test test-plugins bench bench-compare bench-gpu bench-resample bench-frozen bench-finetune coverage attacks clean

help:  ## Say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install:  ## Install ftcore, its tools and the plugins of this repository, to be edited
	$(PYTHON) -m pip install -e '.[dev]' $(PLUGINS:%=-e %)

fix:  ## Format the code and mend what the linter can mend
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

check: format lint types imports docs-check test test-plugins  ## Everything that must hold

format:  ## Is the code formatted?
	$(PYTHON) -m ruff format --check .

lint:  ## Does the linter find anything?
	$(PYTHON) -m ruff check .

types:  ## Do the types hold, in the project and in each plugin?
	$(PYTHON) -m mypy
	@for plugin in $(PLUGINS); do \
	  echo "mypy $$plugin"; $(PYTHON) -m mypy --strict --exclude '/build/' $$plugin || exit 1; \
	done

imports:  ## Do imports go down only?
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command as lint; lint(["--no-cache"])'

docs:  ## Write the generated pages anew
	$(PYTHON) docs/generate.py
	$(PYTHON) -m benchmarks.performance_page
	$(PYTHON) -m benchmarks.statistics_page

docs-check:  ## Are the generated pages current?
	$(PYTHON) docs/generate.py --check
	$(PYTHON) -m benchmarks.performance_page --check
	$(PYTHON) -m benchmarks.statistics_page --check

test:  ## Run the tests
	$(PYTHON) -m pytest

test-plugins:  ## Run the tests of each plugin
	@for plugin in $(PLUGINS); do \
	  $(PYTHON) -m pytest -c $$plugin/pyproject.toml $$plugin || exit 1; \
	done

BENCH_OPTIONS = --override-ini=addopts= --override-ini='python_files=bench_*.py' --benchmark-only -q

# What peers allocate is recycled; with glibc's defaults most of their time is page faults.
WARM = MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=1073741824

RESULTS = benchmarks/results

bench:  ## Measure the statistics ops beside their peers, which takes some fifteen minutes
	$(WARM) OMP_NUM_THREADS=1 FTCORE_BENCH_JSON=$(RESULTS)/statistics.json \
	  FTCORE_BENCH_LINEAR_JSON=$(RESULTS)/linear_statistics.json \
	  FTCORE_BENCH_COLUMNS_JSON=$(RESULTS)/column_statistics.json \
	  FTCORE_BENCH_LOSS_JSON=$(RESULTS)/linear_loss.json \
	  FTCORE_BENCH_HEADS_JSON=$(RESULTS)/heads.json \
	  $(PYTHON) -m pytest benchmarks $(BENCH_OPTIONS)
	OMP_NUM_THREADS=1 FTCORE_BENCH_ROUNDS=5 FTCORE_BENCH_JSON=$(RESULTS)/statistics_cold.json \
	  $(PYTHON) -m pytest benchmarks/bench_statistics.py $(BENCH_OPTIONS) -k 'float32 and one'
	$(PYTHON) -m benchmarks.performance_page

bench-compare:  ## Measure the statistics op again, and show what changed since the stored results
	$(WARM) OMP_NUM_THREADS=1 FTCORE_BENCH_JSON=.benchmarks/statistics.json \
	  $(PYTHON) -m pytest benchmarks/bench_statistics.py $(BENCH_OPTIONS)
	$(PYTHON) -m benchmarks.compare_results benchmarks/results/statistics.json .benchmarks/statistics.json

bench-gpu:  ## Build, test and measure the GPU kernels on a machine with a GPU
	PYTHON=$(PYTHON) benchmarks/gpu.sh

bench-resample:  ## Measure resampling beside SciPy, which takes some ten minutes and 6 GB
	OMP_NUM_THREADS=1 FTCORE_BENCH_ROUNDS=3 $(PYTHON) -m benchmarks.bench_resample --out $(RESULTS)/resample.json
	$(PYTHON) -m benchmarks.performance_page

bench-frozen:  ## Measure the frozen prefix, and features as examples grow, which takes some ten minutes
	OMP_NUM_THREADS=1 $(PYTHON) -m benchmarks.bench_prefix --compiled --batches --profile
	OMP_NUM_THREADS=2 $(PYTHON) -m benchmarks.bench_prefix --compiled --threads 2 --out $(RESULTS)/prefix_two_threads.json
	OMP_NUM_THREADS=1 $(PYTHON) -m benchmarks.bench_prefix --backbone mobilenet_v3_large --backbone densenet121 \
	  --backbone efficientnet_b0 --backbone convnext_tiny --out $(RESULTS)/prefix_families.json
	$(PYTHON) -m benchmarks.bench_features --out $(RESULTS)/features.json
	$(PYTHON) -m benchmarks.performance_page

bench-finetune:  ## Fine-tune beside other tools (of '.[peers]'), which takes more than an hour
	$(PYTHON) -W ignore -m benchmarks.bench_finetune --whole
	$(PYTHON) -W ignore -m benchmarks.bench_accuracy
	$(PYTHON) -m benchmarks.performance_page

coverage:  ## Simulate how often intervals hold the truth and tests reject it, some ten minutes
	OMP_NUM_THREADS=1 $(PYTHON) -m benchmarks.coverage
	$(PYTHON) -m benchmarks.statistics_page

attacks:  ## Attack the storage and the rest in full, which takes minutes
	@for attack in $(ATTACKS:benchmarks/%.py=benchmarks.%); do \
	  echo $$attack; $(PYTHON) -m $$attack || exit 1; \
	done

clean:  ## Remove what builds and tools leave behind
	rm -rf build dist *.egg-info ftcore/_native/*.so plugins/*/build plugins/*/*.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
