# make demo        from a clean clone to a significance table, on a machine without a GPU
# make test        everything that has to pass: lint, types, arrows, tests in a real browser and with a real vLLM engine
# make test-fast   the tests that need no engine, no browser, no killer and little time
# make audit       known vulnerabilities in what is installed, as far as advisories can be reached
# make format      what ruff can mend

VENV := .venv
BIN := $(VENV)/bin

# uv does not read pip's settings: hand over where pip is told to look for wheels (pip separates by spaces, uv by commas).
empty :=
space := $(empty) $(empty)
comma := ,
PIP_LINKS := $(or $(PIP_FIND_LINKS),$(shell python3 -m pip config get global.find-links 2>/dev/null))
export UV_FIND_LINKS ?= $(subst $(space),$(comma),$(strip $(PIP_LINKS)))

UV := $(shell command -v uv || echo $(CURDIR)/.uv/bin/uv)
INSTALL := $(UV) pip install --quiet --python $(BIN)/python --group dev --editable '.[cpu,tables]'

.PHONY: demo test test-fast check audit format

demo: $(VENV)/installed
	$(BIN)/evenhand run examples/quickstart.toml

# The engine takes all cores, so its tests come last and one at a time. A file's tests share one process: a browser that is
# open there would keep asynchronous tests of other files from running.
test: check
	$(BIN)/pytest -n auto --dist loadfile -m "not vllm"
	$(BIN)/pytest -m vllm

test-fast: $(VENV)/installed
	$(BIN)/pytest -n auto --dist loadfile -m "not vllm and not slow" --ignore=tests/browser --ignore=tests/faults

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

audit: $(VENV)/installed
	$(BIN)/python .ci/audit.py

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# vLLM's CPU build pins a torch that only PyTorch's own index has, unless a wheel of it lies where pip looks.
$(VENV)/installed: pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python '>=3.11,<3.14' $(VENV)
	@echo "installing evenhand with vLLM's CPU build (2.3 GB) into $(VENV) …" >&2
	if $(INSTALL) --dry-run 2>/dev/null; then $(INSTALL); else $(INSTALL) --torch-backend=cpu; fi
	touch $@

$(CURDIR)/.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/pip install --quiet uv
