import errno
from pathlib import Path

import numpy as np
import pytest

from sertf.errors import SertfError, check_whole, exit_code, expanded, in_one_sentence, listing, unknown


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


def test_listing_is_capped():
    lines = listing(range(25)).splitlines()
    assert len(lines) == 21
    assert lines[0] == "  0"
    assert lines[-1] == "  ... and 5 more"


def test_what_the_file_system_refuses_is_a_sentence(capsys):
    with exit_code() as code:
        raise OSError(errno.ENOSPC, "No space left on device")
    assert code.value == 2
    assert capsys.readouterr().err == "error: A file cannot be written: No space left on device; free some space.\n"
    with exit_code() as code:
        Path("x" * 300).touch()
    assert code.value == 2
    assert capsys.readouterr().err == f"error: {'x' * 300}: File name too long; choose another place.\n"
    with pytest.raises(ConnectionError), exit_code():
        raise ConnectionError("a fault of the code")


def test_a_script_ends_with_2_after_a_mistake(capsys):
    @in_one_sentence
    def main(fold):
        if fold > 5:
            raise SertfError(f"fold {fold} is unknown.")
        return fold

    assert main(5) == 5
    with pytest.raises(SystemExit) as left:
        main(9)
    assert left.value.code == 2 and capsys.readouterr().err == "error: fold 9 is unknown.\n"


def test_a_script_that_is_interrupted(capsys):
    @in_one_sentence
    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 130 and capsys.readouterr().err == "Interrupted.\n"


def test_home_folders():
    assert expanded("~/corpora") == Path.home() / "corpora"
    with pytest.raises(SertfError, match="~nosuchuser/corpora: there is no user of this name with a home folder; give"):
        expanded("~nosuchuser/corpora")


def test_whole_numbers():
    check_whole("LogMel", n_mels=1, hop_length=512)
    check_whole("Masks", least=0, bands=0)
    for value in (0, 2.0, True, "4", None, float("nan"), np.int64(512)):
        with pytest.raises(SertfError, match="^LogMel: n_mels must be a whole number above 0, got"):
            check_whole("LogMel", n_mels=value)
    with pytest.raises(SertfError, match="^Masks: bands must be a whole number of 0 or more, got -1"):
        check_whole("Masks", least=0, bands=-1)
