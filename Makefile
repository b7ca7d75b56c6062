# `make run` starts the bot, `make test` runs all checks and tests. Both set everything up first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test setup lint bench fuzz lock clean

run:  ## set up, then start the bot (without a token: the playground in your browser)
	@$(PYTHON) tools/bootstrap.py run
	@MALLOC_ARENA_MAX=2 exec $(BIN)/python -m bot run

test:  ## set up, then run all checks and tests (another Python: make test PYTHON=python3.13)
	@$(PYTHON) tools/bootstrap.py dev --system
	@$(MAKE) --no-print-directory lint-only
	@$(BIN)/python -m pytest -n 5 --dist loadfile --no-loadscope-reorder

setup:  ## create .venv and fetch the model file of the learned segmenter
	@$(PYTHON) tools/bootstrap.py dev

lint: setup lint-only  ## check style, types and layers, and the lock files for known vulnerabilities
	@$(BIN)/python tools/audit.py

.PHONY: lint-only
lint-only:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python tools/javascript.py
	@$(BIN)/python tools/floor/styles.py

bench:  ## run the benchmarks (only one: make bench NAME=pictures; keep its table: SAVE=docs/measures.md)
	@$(PYTHON) tools/bootstrap.py bench --system
	@$(BIN)/python -m tests.benchmarks $(if $(SAVE),--save $(SAVE)) $(NAME)

fuzz:  ## mutate picture files and open them, for five minutes (longer: make fuzz SECONDS=3600)
	@$(PYTHON) tools/bootstrap.py dev
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),300)

lock:  ## resolve requirements/*.in to new lock files (no index host is written)
	@$(PYTHON) tools/bootstrap.py dev
	@for set in tools run dev; do .tools/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --excludes requirements/run.excludes --upgrade requirements/$$set.in \
		-o requirements/$$set.lock; done
	@.tools/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		-c requirements/dev.lock --override requirements/bench.overrides requirements/bench.in -o requirements/bench.lock
	@.tools/bin/uv pip compile -q --no-deps --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		requirements/pictures.in >> requirements/bench.lock
	@.tools/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		-c requirements/bench.lock requirements/audit.in -o requirements/audit.lock

clean:
	rm -rf .venv .tools .models .mypy_cache .ruff_cache .pytest_cache build
