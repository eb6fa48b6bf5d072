import json

from sertf import cli
from sertf.inference.bundled import folder_of, names


def test_the_card_for_people_and_for_programs(capsys):
    assert cli.main(["info"]) == 0
    page = capsys.readouterr().out
    assert (folder_of() / "README.md").read_text().endswith(f"---\n\n{page}")
    assert cli.main(["info", str(folder_of()), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((folder_of() / "model_card.json").read_text())


def test_the_bundled_models_one_line_each(capsys):
    assert cli.main(["info", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines][0] == "recognizer" and len(lines) == len(names())
    assert cli.main(["info", "--list", "--json"]) == 0
    assert sorted(json.loads(capsys.readouterr().out)) == sorted(names())
    assert cli.main(["info", "recognizer", "--list"]) == 2
