"""Features of utterances and of their copies, and who is left out."""

from functools import partial

import numpy as np
import pytest
import soundfile

from sertf.audio.augmentation import Augmentation, RandomCut
from sertf.experiment.training_data import extract_training_data
from sertf.extraction.cache import CacheError, FeatureCache
from sertf.extraction.checks import FrontEndError
from sertf.features import Waveform

FRONT_END = Waveform(16000, samples=8000)


@pytest.fixture
def material_of(cache):
    def make(table, augmentation=None, *, skip_bad=False):
        extract = partial(FeatureCache(cache).extract, skip_bad=skip_bad, progress=False)
        return extract_training_data(table, FRONT_END, augmentation, extract, seed=3, skip_bad=skip_bad)

    return make


@pytest.fixture
def few(corpus):
    return corpus.head(4).reset_index(drop=True)


@pytest.fixture
def with_silent_start(few, tmp_path):
    """The first clip's half second that the front end reads is silent: features can be had, noisy copies cannot."""
    late = np.concatenate([np.zeros(8000), np.random.default_rng(0).normal(scale=0.1, size=8000)])
    soundfile.write(tmp_path / "late.wav", late, 16000, subtype="FLOAT")
    few.loc[0, "path"] = str(tmp_path / "late.wav")
    return few


def test_utterances_without_copies(material_of, few, tmp_path):
    (tmp_path / "broken.wav").write_text("no audio")
    few.loc[1, "path"] = str(tmp_path / "broken.wav")
    few.attrs["skipped"] = [("gone.wav", "no such file")]
    with pytest.raises(CacheError, match="broken.wav"):
        material_of(few)
    material = material_of(few, skip_bad=True)
    assert material.copies is None and list(material.table["utterance"]) == list(few["utterance"].drop(1))
    assert [path for path, _ in material.skipped] == ["gone.wav", str(tmp_path / "broken.wav")]


def test_fixed_copies_have_features_of_their_own(material_of, few):
    material = material_of(few, Augmentation(copies=2))
    assert sorted(material.copies["parent"]) == sorted(2 * list(few["utterance"]))
    for copy, parent in zip(material.copies["utterance"], material.copies["parent"]):
        difference = material.features[copy] - material.features[parent]
        assert 0 < np.abs(difference).max() < 0.5


def test_fresh_copies_have_no_features_yet(material_of, few):
    material = material_of(few, Augmentation(copies=2, fresh=True))
    assert len(material.copies) == 8 and set(material.features.utterances) == set(few["utterance"])


@pytest.mark.parametrize("fresh", [False, True])
def test_clips_of_which_no_copy_can_be_made(material_of, with_silent_start, fresh):
    augmentation = Augmentation(copies=1, fresh=fresh)
    with pytest.raises(ValueError, match=r"late.wav: it is silent"):
        material_of(with_silent_start, augmentation)
    material = material_of(with_silent_start, augmentation, skip_bad=True)
    assert list(material.table["utterance"]) == list(with_silent_start["utterance"])  # they are tested as ever
    assert sorted(material.copies["parent"]) == sorted(with_silent_start["utterance"][1:])
    assert len(material.skipped) == 1


def test_cuts_that_the_front_end_does_not_read(material_of, few):
    with pytest.raises(FrontEndError, match="RandomCut changes nothing for Waveform"):
        material_of(few, Augmentation(steps=(RandomCut(16000),), copies=1))
