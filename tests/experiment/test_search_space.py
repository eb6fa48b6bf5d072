import pytest

from sertf.papers import reslstm_sa


def test_a_space_on_another_corpus():
    space = reslstm_sa.SPACES["reslstm_sa"].on("emodb", protocol="speaker-independent-5", epochs=7)
    assert space.experiment.corpus == "emodb" and space.experiment.setting("search").folds == "speaker-independent-5"
    assert space.experiment.recipe("search", "search").epochs == 7
    assert reslstm_sa.SPACES["reslstm_sa"].experiment.recipe("search", "search").epochs == 100
    with pytest.raises(ValueError, match="epochs must be a whole number of 1 or more, but is 0"):
        reslstm_sa.SPACES["reslstm_sa"].on(epochs=0)
