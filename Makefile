PYTHON ?= python3
VENV := .venv
export TF_CPP_MIN_LOG_LEVEL := 3

.PHONY: demo test campaign lint docs

# The main job on the embedded corpus, from clips to a SavedModel and a prediction, into demo/. The clips are no speech.
demo: $(VENV)/demo
	$(VENV)/bin/sertf run demo --repeats 2 --data demo/corpus --out demo/runs --results demo/results --cache demo/cache
	$(VENV)/bin/sertf export demo/runs/reslstm_sa_h16/strict demo/saved_model
	$(VENV)/bin/sertf predict demo/corpus/s01_anger_01.wav --model demo/saved_model

# All tests on the TensorFlow backend, the contracts of layers, features, models and training on JAX too; these take
# longest and come first, so that the other process is not done long before them.
test: $(VENV)/test
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/test_backends.py tests

# Random kills, malformed files and several writers at once; minutes on an idle machine. Not part of the tests.
campaign: $(VENV)/test
	$(VENV)/bin/python -m tests.campaign

# Style, layout and types.
lint: $(VENV)/lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# The pages of docs/ as a site, into site/; a warning is an error.
docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

$(VENV)/demo: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable .
	touch $@

$(VENV)/test $(VENV)/lint $(VENV)/docs: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable '.[$(@F)]'
	touch $@
