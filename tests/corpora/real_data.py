"""The real corpora, where they are at hand."""

import os

import pytest

DATA = os.environ.get("SERTF_DATA")


needs_data = pytest.mark.skipif(not DATA, reason="SERTF_DATA names no folder with the real corpora")
