import pytest

from sertf.inference import bundled
from sertf.inference.card import read_card
from sertf.inference.hub_card import front_matter, metadata

hub = pytest.importorskip("huggingface_hub")
NAMES = bundled.names()


@pytest.mark.parametrize("name", NAMES)
def test_the_hub_reads_the_card_of_each_bundled_model(name):
    card, page = read_card(bundled.ROOT / name), hub.ModelCard.load(bundled.ROOT / name / "README.md")
    data = page.data
    assert data.language == card["corpus"]["languages"] and data.datasets == card["corpus"]["names"]
    assert data.library_name == "keras" and data.pipeline_tag == "audio-classification"
    results = {(one.dataset_name, one.metric_name): one.metric_value for one in data.eval_results}
    assert results[" + ".join(card["corpus"]["names"]), "UAR"] == pytest.approx(card["held_out"]["uar"], abs=5e-5)
    assert len(results) == 2 + len(card.get("other_corpora", {}))
    assert page.text.lstrip().startswith(f"# {name}\n")
    assert data.to_dict() == metadata(card)


def test_licences_have_the_hubs_names():
    card = read_card(bundled.ROOT / "reslstm_sa_h64_ravdess")
    assert metadata(card)["license"] == "cc-by-nc-sa-4.0" and "license_name" not in metadata(card)
    other = metadata(read_card(bundled.ROOT / "recognizer"))
    assert other["license"] == "other" and other["license_link"] == "#training-data"


def test_labels_and_names_that_yaml_would_read_otherwise_stay_texts():
    card = read_card(bundled.ROOT / "reslstm_sa_h64_ravdess")
    card["corpus"] = card["corpus"] | {"names": ["no: yes", "[x]"], "languages": ["no"]}
    read = hub.ModelCard(front_matter(card) + "# x").data
    assert read.datasets == ["no: yes", "[x]"] and read.language == ["no"]
