import json

from sertf import cli
from sertf.inference.bundled import folder_of


def test_the_card_for_people_and_for_programs(capsys):
    assert cli.main(["info"]) == 0
    page = capsys.readouterr().out
    assert page == (folder_of() / "model_card.md").read_text()
    assert cli.main(["info", str(folder_of()), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((folder_of() / "model_card.json").read_text())
