"""The contract that every corpus's card keeps."""

import re
from pathlib import Path

import pytest

from sertf.corpora import CORPORA
from sertf.corpora.utterances import EMOTIONS
from tests.corpora.test_corpora import COMPLETE

SPEAKERS = {name: row[3] for name, row in COMPLETE.items()} | {"emodb": 10, "esd": 20, "iemocap": 10, "embedded": 8}


@pytest.mark.parametrize("name", CORPORA)
def test_card(name):
    card = CORPORA[name]
    assert card.name == name
    for text in (card.title, card.citation, card.licence, card.url, card.example):
        assert text and text == text.strip()
    assert set(card.emotions.values()) <= set(EMOTIONS)
    assert isinstance(card.pattern, re.Pattern)
    assert card.utterances > 0 and card.speakers == SPEAKERS[name]
    assert all(re.fullmatch("[a-z]{2}", language) for language in card.languages)
    assert callable(card.load) and card.load.__doc__


@pytest.mark.parametrize("name", sorted(set(CORPORA) - {"casia", "savee"}))
def test_example_fits_the_pattern(name):
    assert CORPORA[name].pattern.fullmatch(Path(CORPORA[name].example).stem)
