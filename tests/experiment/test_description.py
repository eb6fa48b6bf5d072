from dataclasses import replace

import pytest

from sertf.corpora import CORPORA
from sertf.errors import SertfError
from sertf.experiment.description import Experiment, Setting, Variant, digest
from sertf.training.recipe import Recipe


@pytest.fixture
def experiment():
    recipe = Recipe(epochs=2)
    return Experiment(
        name="toy",
        paper="none",
        corpus="embedded",
        front_end="mfcc_chroma",
        variants={"small": Variant("reslstm_sa", options={"units": 4}, recipes={"strict": recipe})},
        protocols={
            "strict": Setting("speaker-independent-4"),
            "paper": Setting("speaker-independent-4", "corpus", True),
        },
    )


def test_identity_changes_with_what_decides_a_run(experiment):
    identity = experiment.identity("small", "strict")
    assert identity["model"] == {"name": "reslstm_sa", "options": {"units": 4}}
    changed = {**identity, "recipe": {**identity["recipe"], "epochs": 3}}
    assert digest(identity) != digest(changed)
    assert digest(identity) == digest(dict(reversed(identity.items())))


def test_declared_leaks(experiment):
    assert experiment.declared_leaks("small", "strict") == []
    assert [name for name, _ in experiment.declared_leaks("small", "paper")] == ["scaling", "tuning"]
    tuned = replace(experiment.variants["small"], tuned_on=("embedded",))
    tuned = replace(experiment, variants={"small": tuned})
    ((name, sentence),) = tuned.declared_leaks("small", "strict")
    assert name == "tuning" and "validation utterances of speakers who are tested" in sentence
    assert [sentence for name, sentence in tuned.declared_leaks("small", "paper") if name == "tuning"] == [
        "the recipe was chosen by the test parts' scores"
    ]
    assert tuned.identity("small", "strict") == experiment.identity("small", "strict")


@pytest.mark.parametrize(
    ("tuned_on", "corpus", "leaks"),
    [
        (("emodb",), "ravdess+emodb", True),
        (("ravdess",), "ravdess+emodb", False),  # trained on, tested nowhere
        (("esd",), "esd_en", True),
        (("emodb", "ravdess"), "tess", False),
        (("tess+emodb",), "emodb", True),
        (("esd_en",), "esd_en+esd_zh", True),
        ((), "emodb", False),
    ],
)
def test_tuning_leaks_where_its_corpora_are_tested(experiment, tuned_on, corpus, leaks):
    variants = {"small": replace(experiment.variants["small"], tuned_on=tuned_on)}
    assert bool(replace(experiment, corpus=corpus, variants=variants).declared_leaks("small", "strict")) == leaks


def test_unknown_names_list_the_known(experiment):
    with pytest.raises(SertfError, match="Unknown variant 'big'; known are small"):
        experiment.identity("big", "strict")
    with pytest.raises(SertfError, match="Unknown protocol 'loose'; known are strict, paper"):
        experiment.setting("loose")
    with pytest.raises(SertfError, match="protocol with a recipe for small 'paper'"):
        experiment.identity("small", "paper")


def test_bad_scaling():
    with pytest.raises(SertfError, match="Setting scaling must be one of training, corpus"):
        Setting("x", scaling="test")


def test_known_speakers_are_declared_and_never_strict(experiment):
    for clips, said in ((None, "by all of their own unlabelled clips"), (5, "by 5 of their own unlabelled clips")):
        setting = Setting("speaker-independent-4", scaling="speaker", enrolment_clips=clips)
        known = replace(experiment, protocols={"paper": setting})
        ((name, sentence),) = known.declared_leaks("small", "paper")
        assert name == "speaker known" and said in sentence and "trains itself" not in sentence
        ridge = replace(known, variants={"small": replace(known.variants["small"], model="ridge", recipes=None)})
        ((_, sentence),) = ridge.declared_leaks("small", "paper")
        assert said in sentence and sentence.endswith("and the model trains itself on these clips")
        assert ridge.identity("small", "paper")["self_training"] is True
        with pytest.raises(SertfError, match="strict knows no tested speaker"):
            replace(experiment, protocols={"strict": setting})
    with pytest.raises(SertfError, match="enrolment_clips is for scaling=.speaker., but scaling is 'training'"):
        Setting("x", enrolment_clips=5)
    with pytest.raises(SertfError, match="enrolment_clips must be a whole number of 0 or more"):
        Setting("x", scaling="speaker", enrolment_clips=-1)


def test_a_tested_speaker_without_clips_leaks_nothing(experiment):
    setting = Setting("speaker-independent-4", scaling="speaker", enrolment_clips=0)
    assert replace(experiment, protocols={"known": setting}).declared_leaks("small", "known") == []


def test_enrolment_clips_decide_a_run_and_leave_other_digests_as_they_are(experiment):
    assert "enrolment_clips" not in experiment.identity("small", "strict")
    identities = []
    for clips in (None, 5):
        known = Setting("speaker-independent-4", scaling="speaker", enrolment_clips=clips)
        recipes = {"known": Recipe(epochs=2)}
        small = replace(experiment.variants["small"], recipes=recipes)
        identities.append(replace(experiment, protocols={"known": known}, variants={"small": small}))
    first, second = (digest(one.identity("small", "known")) for one in identities)
    assert first != second


def test_published_scores_for_all_protocols_or_for_each(experiment):
    small = experiment.variants["small"]
    one = {"uar": (0.6, None, None)}
    for published, expected in (
        (one, {"strict": one, "paper": one}),
        ({"paper": one}, {"strict": {}, "paper": one}),
        ({"paper": one, "strict": {"wa": (0.5, 0.1, None)}}, {"strict": {"wa": (0.5, 0.1, None)}, "paper": one}),
        ({}, {"strict": {}, "paper": {}}),
    ):
        changed = replace(experiment, variants={"small": replace(small, published=published)})
        assert {protocol: changed.published("small", protocol) for protocol in expected} == expected


def test_merged_emotions_decide_a_run_and_what_a_report_says_does_not(experiment):
    identity = experiment.identity("small", "strict")
    assert "merged" not in identity  # older digests hold
    merged = replace(experiment, merged={"calm": "neutral"})
    assert merged.identity("small", "strict") == {**identity, "merged": {"calm": "neutral"}}
    said = replace(
        experiment,
        variants={
            "small": replace(
                experiment.variants["small"], published={"uar": (0.6, None, None)}, compared_with=("big", "less of it")
            )
        },
        remarks=("A sentence.",),
        others={"B": 0.7},
    )
    assert said.identity("small", "strict") == identity


def test_corpora_are_named_without_the_language_that_is_taken_alone(experiment):
    for corpus, names in (
        ("embedded", ("embedded",)),
        ("esd_en", ("esd",)),
        ("esd_en+esd_zh+emodb", ("esd", "emodb")),
    ):
        assert replace(experiment, corpus=corpus).corpora == names
    assert not any("_" in name for name in CORPORA)


def test_frozen(experiment):
    with pytest.raises(AttributeError):
        experiment.seed = 3


@pytest.mark.parametrize("published", [{"uar": 0.5}, {"strict": {"uar": (0.5, 0.6)}}])
def test_published_scores_are_three_values(published):
    with pytest.raises(SertfError, match=r"published uar .* must be \(mean, standard deviation, best\), None where"):
        Variant("svm", recipes=None, published=published)
