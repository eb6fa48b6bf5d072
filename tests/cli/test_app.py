import os
import socket

import pytest

from sertf import cli


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files, of this test alone."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_without_gradio(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert cli.main(["app"]) == 2
    assert capsys.readouterr().err == "error: The page needs Gradio; install it with: pip install 'sertf[app]'.\n"


def test_a_port_that_is_taken(temporary, capsys):
    before = dict(os.environ)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["app", "--port", str(port)]) == 2
    assert capsys.readouterr().err == f"error: Port {port} is not free; give another with --port.\n"
    assert list(temporary.iterdir()) == []
    assert {name: value for name, value in os.environ.items() if "GRADIO" in name} == {
        name: value for name, value in before.items() if "GRADIO" in name
    }
