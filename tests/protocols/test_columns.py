import pytest

from sertf.protocols.audit import LeakageError, audit
from sertf.protocols.folds import ProtocolError
from sertf.protocols.splits import protocol
from tests.protocols.test_splits import make_table, speakers_of


@pytest.fixture
def table():
    return make_table(speakers=6)


def by_speaker(table, **values):
    """The table with a column whose value depends on the speaker."""
    ((name, of_speaker),) = values.items()
    return table.assign(**{name: table["speaker"].str.slice(-2).astype(int).map(of_speaker)})


def test_a_split_column_says_who_trains_validates_and_tests(table):
    own = by_speaker(table, split=lambda s: {1: "Test", 2: "dev"}.get(s, "train"))
    (fold,) = protocol("split-column")(own, seed=4)
    assert speakers_of(own, fold.test) == {"toy-01"} and speakers_of(own, fold.validation) == {"toy-02"}
    assert audit([fold], own).verdict == "clean"


def test_a_split_column_without_validation_trains_by_its_all_form(table):
    own = by_speaker(table, split=lambda s: "test" if s == 1 else "train")
    with pytest.raises(LeakageError, match="its validation part is empty; .* -all form"):
        audit(protocol("split-column")(own), own)
    cut = protocol("split-column-all")
    assert audit(cut(own), own, allows=cut.allows).verdict == "clean"


def test_a_split_column_that_shares_speakers_is_refused(table):
    own = table.assign(split=["test" if i % 2 else "train" for i in range(len(table))])
    cut = protocol("split-column-all")
    with pytest.raises(LeakageError, match="train and test share 6 speakers"):
        audit(cut(own), own, allows=cut.allows)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("tset", "has 'tset' in a row; allowed are train"),
        ("train", "puts no utterance into the test part; write test in"),
    ],
)
def test_a_split_column_with_other_words_is_refused(table, word, message):
    with pytest.raises(ProtocolError, match=message):
        protocol("split-column")(table.assign(split=word))


def test_a_fold_column_tests_each_value_once(table):
    own = by_speaker(table, fold=lambda s: str(10 - (s - 1) // 2))
    folds = protocol("fold-column")(own, seed=2)
    assert [fold.name for fold in folds] == ["fold-8", "fold-9", "fold-10"]
    assert speakers_of(own, folds[2].test) == {"toy-01", "toy-02"}
    assert speakers_of(own, folds[0].validation) == {"toy-03"}  # of the next fold
    assert audit(folds, own).verdict == "clean"


def test_a_fold_column_that_shares_speakers_is_refused(table):
    own = table.assign(fold=[str(i % 3) for i in range(len(table))])
    with pytest.raises(LeakageError, match="train and test share"):
        audit(protocol("fold-column")(own), own)


def test_a_fold_column_of_two_speakers_has_its_all_form():
    own = by_speaker(make_table(speakers=2), fold=str)
    with pytest.raises(LeakageError, match="fold-1: its validation part is empty; .* -all form"):
        audit(protocol("fold-column")(own), own)
    cut = protocol("fold-column-all")
    assert audit(cut(own), own, allows=cut.allows).verdict == "clean"


@pytest.mark.parametrize(
    ("value", "message"), [("a/b", "has 'a/b' in a row; use letters"), ("1", "needs two values or more, but has '1'")]
)
def test_a_fold_column_with_odd_values_is_refused(table, value, message):
    with pytest.raises(ProtocolError, match=message):
        protocol("fold-column")(table.assign(fold=value))


@pytest.mark.parametrize("name", ["split", "fold"])
def test_a_table_without_the_column_is_told_so(table, name):
    with pytest.raises(ProtocolError, match=f"needs a column {name} in the table"):
        protocol(f"{name}-column")(table)
