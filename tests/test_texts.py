import doctest
import io
import os
import sys

import pandas as pd
import pytest

from sertf import texts
from sertf.errors import SertfError, exit_code


@pytest.mark.parametrize("cell", ["=cmd|'C calc'!A0.wav", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''-x"])
def test_formulas_become_texts_and_are_restored(cell):
    written = texts.defused(cell)
    assert written == f"'{cell}" and texts.restored(written) == cell


@pytest.mark.parametrize("cell", ["-1.5", "+3", "1e-3", "clip.wav", "a=b", "it's", "'quoted'", "", "-inf"])
def test_numbers_and_other_texts_stay(cell):
    assert texts.defused(cell) == texts.restored(cell) == cell


def test_a_table_is_written_without_formulas_and_read_back(tmp_path):
    table = pd.DataFrame({"utterance": ["=1", "b", "'=c"], "score": [-1.5, 0.0, 2.0], "speaker": ["-1", "@x", "+"]})
    texts.defused_table(table).to_csv(tmp_path / "t.csv", index=False)
    text = (tmp_path / "t.csv").read_text().splitlines()
    assert text[1:] == ["'=1,-1.5,-1", "b,0.0,'@x", "''=c,2.0,'+"]
    read = pd.read_csv(tmp_path / "t.csv", dtype={"utterance": str, "speaker": str})
    assert texts.restored_table(read).to_dict("list") == table.to_dict("list")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_control_characters_reach_files_and_no_terminal(monkeypatch, kind):
    out, err = kind(), kind()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with exit_code() as code:
        print("clear\x1b[2J.wav", "back\rward", "csi\x9b31m", "rtl\u202egnp.exe")
        raise SertfError("bell\x07.wav: no such file.")
    assert code.value == 2 and sys.stdout is out
    if kind is Terminal:
        assert out.getvalue() == "clear\\x1b[2J.wav back\\rward csi\\x9b31m rtl\\u202egnp.exe\n"
        assert err.getvalue() == "error: bell\\x07.wav: no such file.\n"
    else:
        assert "\x1b" in out.getvalue() and "\x07" in err.getvalue()


def test_a_progress_bar_gets_the_terminal_itself(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with texts.plain_terminal():
        assert texts.unfiltered(sys.stderr) is terminal and sys.stderr is not terminal
    assert texts.unfiltered(sys.stderr) is terminal


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_a_command_on_a_terminal_prints_no_escape_of_a_file_name():
    import subprocess

    master, slave = os.openpty()
    command = [sys.executable, "-m", "sertf", "predict", "x\x1b]0;title\x07.wav"]
    done = subprocess.run(command, stdout=slave, stderr=slave)
    os.close(slave)
    said = os.read(master, 10_000).decode()
    os.close(master)
    assert done.returncode == 2 and "x\\x1b]0;title\\x07.wav: no such file" in said and "\x1b" not in said


def test_doctests():
    assert doctest.testmod(texts).failed == 0
