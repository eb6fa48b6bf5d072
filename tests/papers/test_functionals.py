"""The zoo's own baseline: strict protocols alone, and a declared choice of its front end."""

import pytest

from sertf.papers import functionals
from sertf.protocols import splits


@pytest.mark.parametrize("corpus", functionals.CORPORA)
def test_linear_models_on_unseen_speakers(corpus):
    made = functionals.experiment(corpus)
    assert list(made.protocols) == ["strict"] and "speaker" not in splits.protocol(functionals.FOLDS[corpus]).allows
    assert set(made.variants) == set(functionals.MODELS) == set(functionals.USUAL_PENALTIES)
    for variant in made.variants:
        # Silence and voicing of the front end were chosen on these corpora.
        assert [name for name, _ in made.declared_leaks(variant, "strict")] == ["tuning"]
