import pytest

from sertf.protocols.audit import audit
from sertf.protocols.folds import ProtocolError
from sertf.protocols.published import LISTS
from sertf.protocols.splits import protocol
from tests.protocols.test_splits import make_table, speakers_of

LUNA_JIMENEZ = [[2, 5, 14, 15, 16], [3, 6, 7, 13, 18], [10, 11, 12, 19, 20], [8, 17, 21, 23, 24], [1, 4, 9, 22]]
TESTED = {
    "reslstm-sa": LUNA_JIMENEZ,
    "luna-jimenez-5": LUNA_JIMENEZ,
    "emobox-ravdess-6": [
        [1, 11, 20, 21],
        [4, 10, 12, 14],
        [8, 9, 19, 23],
        [3, 5, 7, 24],
        [2, 15, 16, 18],
        [6, 13, 17, 22],
    ],
}


@pytest.fixture(scope="module")
def ravdess():
    return make_table(speakers=24, corpus="ravdess")


def actors(table, ids):
    return sorted(int(speaker[-2:]) for speaker in speakers_of(table, ids))


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("form", ["", "-all"])
def test_published_lists_test_the_published_actors(ravdess, name, form):
    cut = protocol(name + form)
    folds = cut(ravdess, seed=5)
    assert [actors(ravdess, fold.test) for fold in folds] == TESTED[name]
    assert [len(actors(ravdess, fold.validation)) for fold in folds] == [0 if form else 2] * len(folds)
    assert audit(folds, ravdess, allows=cut.allows).verdict == "clean"


def test_reslstm_sa_validates_by_its_authors_actors(ravdess):
    folds = protocol("reslstm-sa")(ravdess)
    validation = [actors(ravdess, fold.validation) for fold in folds]
    assert validation == [[3, 6], [10, 11], [8, 17], [1, 14], [2, 5]]


@pytest.mark.parametrize("name", LISTS)
def test_published_lists_need_ravdess(name):
    with pytest.raises(ProtocolError, match=f"{name} is defined on .* 23 of them and 0 others; use speaker-indep.*-5"):
        protocol(name)(make_table(speakers=23, corpus="ravdess"))
