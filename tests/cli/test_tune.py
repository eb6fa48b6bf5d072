import pytest

from sertf import cli


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["reslstm"], "reslstm_sa"),
        (["demo", "--tuner", "baysian"], "bayesian"),
        (["reslstm_sa"], "needs --data"),
        (["demo", "--tuner", "hyperband", "--trials", "3"], "Leave --trials out"),
    ],
)
def test_mistakes(options, message, capsys, monkeypatch):
    monkeypatch.delenv("SERTF_DATA", raising=False)
    assert cli.main(["tune", *options]) == 2
    assert message in capsys.readouterr().err
