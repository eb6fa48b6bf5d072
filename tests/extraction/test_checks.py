import pytest

from sertf.extraction.checks import FrontEndError, check_headers, check_rates
from sertf.features import Waveform
from sertf.protocols.folds import Fold


def test_another_rate_than_the_training_one_is_refused():
    rates = {"a": 24414, "b": 24414, "c": 96000, "d": 16000, "e": 24414}
    with pytest.raises(FrontEndError) as caught:
        check_rates([Fold("emodb", ("a", "b", "c"), (), ("d",))], rates, Waveform())
    assert str(caught.value) == (
        "emodb: the training clips have 24414 Hz and the test clips 16000 Hz, but Waveform uses each at "
        "its own rate; give Waveform a sample_rate to resample all of them to."
    )
    check_rates([Fold("emodb", ("a", "b", "c"), (), ("d",))], rates, Waveform(16000))
    check_rates([Fold("split", ("a", "b", "c"), (), ("e",))], rates, Waveform())  # one clip among others


def test_headers_name_what_cannot_be_opened(corpus, tmp_path):
    (tmp_path / "notes.wav").write_text("no sound")
    paths = [*corpus["path"].iloc[:2], str(tmp_path / "notes.wav"), str(tmp_path / "nowhere.wav")]
    assert [path for path, _ in check_headers(paths)] == paths[2:]
