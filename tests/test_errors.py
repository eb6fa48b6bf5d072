import pytest

from sertf.errors import SertfError, exit_code


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
