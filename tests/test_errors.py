import pytest

from sertf.errors import SertfError, exit_code, unknown


def test_a_users_mistake_is_one_sentence_and_code_2(capsys):
    with exit_code() as code:
        raise SertfError("fold 9 is unknown.")
    assert code.value == 2
    assert capsys.readouterr().err == "error: fold 9 is unknown.\n"


def test_work_that_succeeds_is_code_0(capsys):
    with exit_code() as code:
        print("done")
    assert code.value == 0 and capsys.readouterr().err == ""


def test_a_fault_of_the_code_shows_its_trace():
    with pytest.raises(KeyError), exit_code():
        raise KeyError("units")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("speachnet", "Unknown model 'speachnet'; did you mean speechnet? Known are speechnet, lstm_sa."),
        ("LSTM", "Unknown model 'LSTM'; did you mean lstm_sa? Known are speechnet, lstm_sa."),
        ("x", "Unknown model 'x'; known are speechnet, lstm_sa."),
    ],
)
def test_an_unknown_name_meets_the_nearest(name, message):
    assert unknown("model", name, ["speechnet", "lstm_sa"]) == message
