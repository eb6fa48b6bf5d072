import json

from sertf import bundled, cli


def test_the_card_for_people_and_for_programs(capsys):
    assert cli.main(["info"]) == 0
    page = capsys.readouterr().out
    assert page == (bundled.folder_of() / "model_card.md").read_text()
    assert cli.main(["info", str(bundled.folder_of()), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((bundled.folder_of() / "model_card.json").read_text())
