"""The page of one variant from summaries written out by hand."""

import pytest

from sertf.reports.page import render_page
from tests.synthetic_runs import summary


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ([0.62, 0.01, 0.65], "**UAR falls short of the published mean by 0.1200**: 0.5000 ± 0.0100 here, 0.6200 there"),
        ([0.62, 0.01, 0.65], "[−0.1700, −0.0600]; the published mean lies outside our interval [0.4500, 0.5600]"),
        ([0.62, 0.01, 0.65], "Best repeat: 0.5000 here, 0.6500 there."),
        ([0.55, None, None], "by 0.0500**: 0.5000 ± 0.0100 here, 0.5500 there, difference −0.0500"),
        ([0.55, None, None], "[−0.1000, +0.0100]; the published mean lies within our interval [0.4500, 0.5600]."),
        ([0.5, None, None], "**UAR reaches the published mean**"),
    ],
)
def test_shortfall_is_said_plainly(published, expected):
    assert expected in render_page(summary(published={"uar": published}))


def test_columns_are_paper_then_strict_on_either_page():
    paper, strict = summary(protocol="paper", mean=0.6), summary()
    for one, other in ((paper, strict), (strict, paper)):
        page = render_page(one, beside=[other])
        assert "| UAR | – | 0.6000 ± 0.0100 (0.6000) [0.4500, 0.5600] | 0.5000 ± 0.0100 (0.5000) [" in page
        assert "UAR of `paper` minus `strict`: +0.1000." in page


def known(clips=None):
    content = summary(protocol="speaker-known", mean=0.7)
    content["facts"] |= {"scaling": "speaker"} | ({} if clips is None else {"enrolment_clips": clips})
    return content


def test_known_speakers_are_a_third_column_with_their_clips():
    three = summary(protocol="paper", mean=0.6), summary(), known()
    for one in three:
        page = render_page(one, beside=[other for other in three if other is not one])
        assert "| score | published | ours, `paper` | ours, `strict` | ours, `speaker-known` |" in page
        assert "Under `speaker-known` each tested speaker is scaled by all of their own unlabelled clips." in page
        assert "UAR of `paper` minus `strict`: +0.1000." in page
    assert "is scaled by 5 of their own unlabelled clips." in render_page(known(5))
    assert "is tested on speakers it has no clips of." in render_page(known(0))
    trained = known()
    trained["facts"]["self_training"] = True
    assert "The model trains itself on them too, without labels." in render_page(trained)
    assert "trains itself" not in render_page(known())
    assert "clips" not in render_page(summary())


def test_other_systems_stand_beside_the_papers_own_and_ours():
    content = summary(published={"wa": [0.8, 0.01, None]})
    assert "other systems" not in render_page(content)
    content["facts"]["others"] = {"B": 0.7, "A, 2020": 0.75, "C": 0.6}
    lines = render_page(content).splitlines()
    start = lines.index("## Beside other systems, as the paper lists them")
    assert lines[start + 2 : start + 9] == [
        "| system | accuracy |",
        "| --- | ---: |",
        "| C | 0.6000 |",
        "| B | 0.7000 |",
        "| A, 2020 | 0.7500 |",
        "| the paper's own | 0.8000 ± 0.0100 |",
        "| ours, `strict` protocol | 0.5000 ± 0.0100 |",
    ]
    content["facts"]["published"] = {"uar": [0.62, 0.01, None]}
    page = render_page(content)
    assert "| system | UAR |" in page and "| the paper's own | 0.6200 ± 0.0100 |" in page


def test_each_protocol_has_its_published_scores():
    paper = summary(protocol="paper", published={"uar": [0.9, None, None], "kappa": [0.8, None, None]})
    page = render_page(summary(published={"uar": [0.7, None, None]}), beside=[paper])
    assert "| score | published, `paper` | published, `strict` | ours, `paper` | ours, `strict` |" in page
    assert "| UAR | 0.9000 | 0.7000 | 0.5000 ±" in page and "| kappa | 0.8000 | – | – | – |" in page
    assert "**UAR falls short of the published mean by 0.2000**" in page  # of its own protocol


def test_what_the_paper_prints_and_emotions_that_count_as_others():
    content = summary()
    assert "What the paper prints" not in render_page(content) and "counts as" not in render_page(content)
    facts = content["facts"] | {"remarks": ["Table 4 says a.", "The text says b."], "merged": {"calm": "neutral"}}
    page = render_page(content | {"facts": facts})
    assert "## What the paper prints\n\n- Table 4 says a.\n- The text says b.\n" in page
    assert "2 emotions: anger, fear; calm counts as neutral. Licence" in page


def test_a_comparison_is_one_line():
    compared = {"variant": "b", "what": "less of it", "score": "uar", "mean": 0.7, "std": None}
    page = render_page(summary() | {"compared": compared | {"difference": -0.2, "low": -0.3, "high": -0.1}})
    assert (
        "## What less of it does\n\nUAR 0.5000 ± 0.0100 against 0.7000 of `b`, difference −0.2000, 95 % interval over speakers "
        "[−0.3000, −0.1000]: `a|b` lies below `b`.\n"
    ) in page
    page = render_page(summary() | {"compared": {"variant": "b", "what": "less", "reason": "other utterances."}})
    assert "`a|b` cannot be compared with `b`: other utterances.\n" in page
    assert "## What" not in render_page(summary() | {"compared": None})


def test_the_highest_after_any_epoch_is_said_of_both_scores():
    content = summary(protocol="paper")
    entry = content["scores"]["wa"]
    page = render_page(content | {"epoch_by_test": entry | {"mean": 0.61}})
    assert "would print a UAR of 0.6100 ± 0.0100 (0.5000).\n" in page
    page = render_page(content | {"epoch_by_test": entry, "epoch_by_test_wa": entry | {"mean": 0.62}})
    assert "(0.5000), by its WA a WA of 0.6200 ± 0.0100 (0.5000).\n" in page


def test_the_last_epoch_is_said_of_both_scores():
    content = summary(protocol="paper")
    entry = content["scores"]["wa"]
    page = render_page(content | {"last_epoch": entry | {"mean": 0.58}, "last_epoch_wa": entry | {"mean": 0.59}})
    assert (
        "the last epoch of each run has a UAR of 0.5800 ± 0.0100 (0.5000) and a WA of 0.5900 ± 0.0100 (0.5000).\n"
        in page
    )


def test_augmentation_and_scaling_by_cell_are_said():
    content = summary()
    noise = {"steps": [{"name": "WhiteNoise", "snr_db": [15.0, 30.0]}], "copies": 2, "fresh": False}
    page = render_page(content | {"facts": content["facts"] | {"augmentation": noise, "scaled_each": "cell"}})
    assert "2 copies an utterance, drawn once: WhiteNoise (snr_db [15.0, 30.0]) |" in page
    assert "| standardised by itself | each cell |" in page
    cut = {"steps": [{"name": "RandomCut", "samples": 8}], "copies": 1, "fresh": True, "keep_original": False}
    page = render_page(content | {"facts": content["facts"] | {"augmentation": cut}})
    assert "1 copy in the place of each utterance, drawn anew every epoch: RandomCut (samples 8) |" in page
    assert "augmentation" not in render_page(content)


def test_what_was_trained_on_what_is_said():
    content = summary()
    built = {
        "front_end": {"name": "fused_statistics", "options": {"segments": 64, "fmax": 7200}},
        "model": {"name": "speechnet", "options": {}},
        "scaling": "corpus",
    }
    page = render_page(content | {"facts": content["facts"] | built})
    assert "| features | `fused_statistics` (fmax 7200, segments 64) |" in page
    assert "| model | `speechnet` |" in page and "| standardised by | all clips |" in page


def test_only_figures_beside_the_page_are_shown(tmp_path):
    content = summary() | {"figures": [["scores.png", "Scores"], ["curves.png", "Curves"]]}
    assert "## Figures" not in render_page(content)
    page = render_page(content, folder=tmp_path)
    assert "## Figures\n\nFigures are redrawn by `sertf report --figures RESULTS`.\n" in page and "![" not in page
    (tmp_path / "scores.png").touch()
    page = render_page(content, folder=tmp_path)
    assert "## Figures\n\n![Scores](scores.png)\n" in page and "curves.png" not in page and "redrawn" not in page
