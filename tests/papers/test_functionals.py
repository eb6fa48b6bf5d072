"""The zoo's own baseline: unseen and known speakers, and a declared choice of its front end."""

from dataclasses import replace

import pytest

from sertf.papers import functionals, whisper
from sertf.protocols import splits


@pytest.mark.parametrize("corpus", functionals.CORPORA)
def test_linear_models_on_unseen_speakers(corpus):
    made = functionals.experiment(corpus)
    assert "speaker" not in splits.protocol(functionals.FOLDS[corpus]).allows
    assert set(made.variants) == set(functionals.MODELS) == set(functionals.USUAL_PENALTIES)
    for variant in made.variants:
        # Silence and voicing of the front end were chosen on these corpora.
        assert [name for name, _ in made.declared_leaks(variant, "strict")] == ["tuning"]


@pytest.mark.parametrize("made", [functionals.experiment("emodb"), functionals.emobox(), whisper.experiment("ravdess")])
def test_known_speakers_have_the_folds_of_unseen_ones(made):
    strict = made.setting("strict")
    assert strict.scaling == "training"
    for name, setting in made.protocols.items():
        if name != "strict":
            assert replace(setting, scaling="training", enrolment_clips=None) == strict
            clips = name.removeprefix("speaker-known").removeprefix("-")
            assert setting.scaling == "speaker" and setting.enrolment_clips == (int(clips) if clips else None)
    assert "speaker-known" in made.protocols
