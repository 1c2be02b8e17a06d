# make demo   install, run a night over data/demo and print a scorecard
# make test   install and run the tests
# make check  ruff, mypy --strict, import-linter
# make bench-night  how fast a night is, writes docs/benchmark-night.md; PARTS=stock,workers QUICK=1 CORPUS=data/demo
# make bench-replay  a thousand replays of the demo scorings, with one worker and with four
# make bench-page  how soon a long call is ready in the browser, and twenty inspectors at once
# make screenshots  the pictures of the pages in docs/images, from the demo calls
# make bench-queue  the inspectors' queue of 100,000 calls asked with every filter
# make bench-tuning  how long `rules try` and `rules impact` take over 1,000 and 10,000 generated calls
# make bench-rules  a rule set over archives of up to 100,000 calls, against hyperscan, re and rapidfuzz
# make bench-cluster  what Ray costs: the same night at home and on a cluster of one node, in turn
# make million  what a million calls cost, from nights over the demo calls: the end of docs/cluster.md
# make soak   the night under every fault, writes docs/reliability.md; FAULT=kill SEED=1 COUNT=1000 does one
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := sqlite:///data/demo/callscore.db

.PHONY: soak million meaning demo test check bench-night bench-cluster bench-page screenshots bench-queue bench-rules bench-replay evaluate docs lock clean bench-tuning

demo: $(VENV)/.installed
	$(BIN)/callscore models fetch base
	$(BIN)/callscore nightly data/demo --database $(DEMO)
	$(BIN)/callscore list --database $(DEMO)
	$(BIN)/callscore show d11 --database $(DEMO)
	@echo
	@echo "这一项为什么这样判：  $(BIN)/callscore explain d11 使用规定的招呼语 --database $(DEMO)"
	@echo "别的通话的评分表：    $(BIN)/callscore show 通话 --database $(DEMO)"

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 3 --dist worksteal

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

CORPUS ?= data/demo

bench-night: $(VENV)/.installed
	$(BIN)/python -m benchmarks.night --corpus $(CORPUS) $(if $(PARTS),--parts $(PARTS)) $(if $(QUICK),--quick)

bench-queue: $(VENV)/.installed
	$(BIN)/python benchmarks/inspection_queue.py

bench-page: $(VENV)/.installed
	$(BIN)/python benchmarks/page.py

screenshots: $(VENV)/.installed
	$(BIN)/python docs/screenshots.py

bench-rules: $(VENV)/.installed
	$(BIN)/python benchmarks/rules.py

bench-tuning: $(VENV)/.installed
	mkdir -p build
	test -f build/made1k.db || $(BIN)/python benchmarks/made_archive.py build/made1k.db 1000
	test -f build/made10k.db || { cp build/made1k.db build/made10k.db && $(BIN)/python benchmarks/made_archive.py build/made10k.db 10000 1000; }
	$(BIN)/python benchmarks/tuning.py --archives 1000=$(CURDIR)/build/made1k.db,10000=$(CURDIR)/build/made10k.db

bench-replay: $(VENV)/.installed
	$(BIN)/python benchmarks/replay.py --database $(DEMO)

million: $(VENV)/.installed
	$(BIN)/python -m benchmarks.million

bench-cluster: $(VENV)/.installed
	$(BIN)/python tests/workflows/cluster_overhead.py

FAULT ?= all
SEED  ?= 1
COUNT ?=

soak: $(VENV)/.installed
	$(BIN)/python tests/workflows/night_soak.py --page --fault $(FAULT) --seed $(SEED) $(if $(COUNT),--count $(COUNT))

evaluate: $(VENV)/.installed
	$(BIN)/callscore evaluate data/demo

meaning: $(VENV)/.installed
	$(BIN)/python models/build_meaning.py

docs: $(VENV)/.installed
	$(BIN)/python docs/build.py

lock:
	$(BIN)/python -m uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header \
	    --python-version 3.11 --quiet --output-file requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "callscore needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
