import doctest
import json

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn.metrics

from sertf.evaluation import zero_shot as evaluation
from sertf.experiment.description import Experiment, Setting, Variant
from sertf.experiment.runner import run, run_job
from sertf.export import saved_model
from sertf.parallel import processes
from sertf.protocols import zero_shot
from sertf.protocols.audit import audit
from sertf.protocols.folds import Fold
from sertf.protocols.splits import ProtocolError, protocol
from sertf.protocols.zero_shot import shared_emotions
from sertf.reports.report import write_report
from sertf.training.recipe import Recipe
from tests.protocols.test_splits import make_table, speakers_of


def two_corpora(**emotions):
    """Tables of corpora with the emotions given for each, one under the other."""
    emotions = {"big": ("neutral", "anger", "calm"), "small": ("anger", "boredom", "neutral")} | emotions
    return pd.concat(
        [
            make_table(speakers=10 if corpus == "big" else 3, per_emotion=4, emotions=found, corpus=corpus)
            for corpus, found in emotions.items()
        ],
        ignore_index=True,
    )


def corpora_of(table, ids):
    return set(table.set_index("utterance").loc[list(ids), "corpus"])


def test_shared_emotions_leave_out_what_a_corpus_lacks():
    table = two_corpora()
    table.attrs["skipped"] = ["one"]
    kept = shared_emotions(table)
    assert set(kept["emotion"]) == {"neutral", "anger"} and len(kept) == 10 * 2 * 4 + 3 * 2 * 4
    assert kept.attrs == {"skipped": ["one"]}


@pytest.mark.parametrize(
    ("emotions", "message"),
    [
        ({"small": ("boredom", "fear")}, "share 0 emotions.*big has anger, calm, neutral; small has boredom, fear"),
        ({"small": ("boredom", "anger")}, "share 1 emotions, and 2 are needed"),
    ],
)
def test_corpora_without_shared_emotions(emotions, message):
    with pytest.raises(ProtocolError, match=message):
        shared_emotions(two_corpora(**emotions))


def test_one_corpus_shares_nothing():
    with pytest.raises(ProtocolError, match="need two corpora or more, but the table has toy"):
        shared_emotions(make_table())


def test_zero_shot_trains_on_one_corpus_and_tests_on_each_other():
    table = shared_emotions(two_corpora(third=("anger", "neutral", "fear")))
    folds = protocol("zero-shot-big")(table, seed=1)
    assert [fold.name for fold in folds] == ["small", "third"]
    for fold in folds:
        assert corpora_of(table, fold.train) == corpora_of(table, fold.validation) == {"big"}
        assert set(fold.test) == set(table["utterance"][table["corpus"] == fold.name])
        held_out = speakers_of(table, fold.validation)
        assert len(held_out) == 2 and {int(s[-2:]) % 2 for s in held_out} == {0, 1}  # a woman and a man
        assert not held_out & speakers_of(table, fold.train)
        assert len(fold.train) + len(fold.validation) == 10 * 2 * 4
    assert folds != protocol("zero-shot-big")(table, seed=2)
    found = audit(folds, table)
    # The sentences of two corpora have the same names, but are no shared sentences.
    assert found.verdict == "clean" and found.findings == ()


def test_zero_shot_90_10_trains_on_what_the_random_split_trains_on():
    table = shared_emotions(two_corpora())
    cut = protocol("zero-shot-90-10-big")
    (fold,) = cut(table, seed=3)
    (split,) = protocol("random-90-10")(table[table["corpus"] == "big"], seed=3)
    assert fold.train == split.train and fold.validation == () and fold.name == "small"
    assert corpora_of(table, fold.test) == {"small"} and len(fold.test) == 24
    assert audit([fold], table, allows=cut.allows).verdict == "clean"


@pytest.mark.parametrize("name", ["zero-shot-big", "zero-shot-90-10-big"])
def test_zero_shot_needs_the_corpus_another_and_shared_emotions(name):
    with pytest.raises(ProtocolError, match=f"{name} needs a table of big and another corpus.* holds big"):
        protocol(name)(make_table(corpus="big"))
    with pytest.raises(ProtocolError, match=f"{name} needs a table of big and another corpus.* holds small, third"):
        table = two_corpora(third=("anger", "neutral"))
        protocol(name)(table[table["corpus"] != "big"])
    with pytest.raises(ProtocolError, match=f"{name} needs emotions that all corpora have, but big lacks boredom"):
        protocol(name)(two_corpora())


def test_zero_shot_of_a_single_speaker_has_none_to_hold_out():
    table = shared_emotions(two_corpora())
    table = table[(table["corpus"] != "big") | (table["speaker"] == "big-01")]
    with pytest.raises(ProtocolError, match="has 1 of it; use zero-shot-90-10-big"):
        protocol("zero-shot-big")(table)


def test_doctests():
    result = doctest.testmod(evaluation)
    assert result.attempted and not result.failed


def test_what_is_trained_and_what_is_tested_on():
    table = shared_emotions(two_corpora(third=("anger", "neutral", "fear")))
    table.loc[table["corpus"] == "small", "language"] = "de"
    found = zero_shot.across(protocol("zero-shot-90-10-big")(table), table)
    assert found["trained"] == {"big": {"languages": ["en"], "utterances": 80, "speakers": 10}}
    assert found["tested"] == {
        "small": {"languages": ["de"], "utterances": 24, "speakers": 3},
        "third": {"languages": ["en"], "utterances": 24, "speakers": 3},
    }
    assert zero_shot.across(protocol("speaker-independent-5")(make_table()), make_table()) is None
    # Each is tested without having been trained on, but by another fold's model it was.
    big, small, *_ = ([*rows["utterance"]] for _, rows in table.groupby("corpus"))
    turns = [Fold("fold-1", tuple(big), (), tuple(small)), Fold("fold-2", tuple(small), (), tuple(big))]
    assert zero_shot.across(turns, table) is None
    copied = Fold("small", ("big-01-anger-0", "a-copy"), (), ("small-01-anger-0",))
    assert set(zero_shot.across([copied], table)["trained"]) == {"big"}


def predictions(truth, chosen, *, fold="small", repeat=0, speakers=4):
    names = ["anger", "fear", "neutral"]
    table = pd.DataFrame(
        {
            "utterance": [f"{fold}-{i}" for i in range(len(truth))],
            "speaker": [f"{fold}-s{i % speakers}" for i in range(len(truth))],
            "repeat": repeat,
            "fold": fold,
            "truth": truth,
        }
    )
    table[names] = np.eye(3)[[names.index(emotion) for emotion in chosen]]
    return table


@pytest.mark.parametrize("counts", [(6, 3, 3), (1, 9), (5, 5), (1, 1, 1, 20)])
def test_chance_of_the_weighted_f1_is_the_best_of_all_shares(counts):
    truth = np.repeat(np.arange(len(counts)), counts)
    p = np.array(counts) / sum(counts)
    q = np.random.default_rng(0).dirichlet(np.full(len(counts), 0.5), size=200_000)
    best = (2 * p**2 * q / (p + q)).sum(axis=1).max()
    level = evaluation.chance(truth)["weighted_f1"]
    assert best <= level + 1e-9 and best == pytest.approx(level, abs=1e-3)


def test_answers_that_ignore_the_clip_score_no_more_than_chance():
    truth = np.repeat(["anger", "fear", "neutral"], (60, 30, 10))
    level, random = evaluation.chance(truth)["weighted_f1"], np.random.default_rng(0)
    for shares in ((1, 0, 0), (0.6, 0.3, 0.1), (0.8, 0.2, 0)):
        answers = np.repeat(["anger", "fear", "neutral"], np.round(100 * np.array(shares)).astype(int))
        drawn = [sklearn.metrics.f1_score(truth, random.permutation(answers), average="weighted") for _ in range(300)]
        assert np.mean(drawn) < level + 0.005


def test_scores_of_each_tested_corpus_beside_chance():
    truth = ["anger"] * 6 + ["fear"] * 3 + ["neutral"] * 3
    right, same = truth, ["fear"] * 12
    table = pd.concat(
        [
            predictions(truth, right),
            predictions(truth, same, repeat=1),
            predictions(truth[:8], truth[:8], fold="third", speakers=1),
            predictions(truth[:8], truth[:8], fold="third", speakers=1, repeat=1),
        ]
    )
    found = evaluation.by_corpus(table)
    small, third = found["small"], found["third"]
    assert (small["utterances"], small["speakers"], small["emotions"]) == (12, 4, 3)
    assert small["scores"]["uar"]["chance"] == pytest.approx(1 / 3)
    assert small["scores"]["wa"]["chance"] == 0.5
    f1 = [sklearn.metrics.f1_score(truth, chosen, average="weighted") for chosen in (right, same)]
    assert small["scores"]["weighted_f1"]["mean"] == pytest.approx(np.mean(f1))
    test = scipy.stats.ttest_1samp([1, 1 / 3], 0).confidence_interval()
    assert small["scores"]["uar"]["over_repeats"] == pytest.approx([test.low, test.high])
    assert small["scores"]["uar"]["mean"] == pytest.approx((1 + 1 / 3) / 2)
    assert small["scores"]["uar"]["std"] == pytest.approx(np.std([1, 1 / 3], ddof=1))
    assert small["scores"]["wa"]["low"] <= small["scores"]["wa"]["mean"] <= small["scores"]["wa"]["high"]
    assert third["emotions"] == 2 and third["scores"]["uar"]["chance"] == 0.5
    assert third["scores"]["uar"]["low"] is None  # one speaker


SMALL = {"convolutions": ((4, 10, 8), (4, 8, 8), (4, 4, 4)), "width": 8, "feed_forward": 6, "layers": 2, "heads": 2}
RECIPE = Recipe(epochs=1, batch_size=8, decay_epochs=1)


def experiment(**front_end):
    return Experiment(
        name="between",
        paper="none",
        corpus="embedded+other",
        front_end="waveform",
        front_end_options=front_end,
        variants={"small": Variant("serct", recipes={"strict": RECIPE}, options=SMALL)},
        protocols={"strict": Setting("zero-shot-embedded")},
    )


@pytest.fixture
def joined(corpus):
    """The embedded corpus, two of its speakers under another name and in a language of their own."""
    table = corpus.copy()
    table["corpus"] = np.where(table["speaker"] < "embedded-03", "embedded", "other")
    table["language"] = np.where(table["corpus"] == "other", "de", "en")
    return table


def test_from_recordings_to_report_and_model_card(joined, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "run_all", lambda _, jobs, **__: [run_job(job) for job in jobs])
    folders = run(
        experiment(sample_rate=8000, samples=16_000),
        joined,
        out=tmp_path / "runs",
        cache=cache,
        repeats=1,
        progress=False,
    )
    folder = folders["small", "strict"]
    summary = write_report(folder, tmp_path / "results" / "between" / "small" / "strict")
    assert summary["by_corpus"]["other"]["scores"]["uar"]["chance"] == 0.25
    assert summary["facts"]["licence"] == "embedded: Apache-2.0; other: the user's own data"
    page = (tmp_path / "results" / "between" / "small" / "strict" / "report.md").read_text()
    assert "Trained on embedded (en), tested on other (de), none of whose recordings were trained on" in page
    assert "(windows.png)" in page
    # The card counts what was trained on.
    card = json.loads((saved_model.save(folder, tmp_path / "model") / "model_card.json").read_text())
    assert (card["corpus"]["name"], card["corpus"]["speakers"]) == ("embedded", 2)
    assert (card["corpus"]["languages"], card["held_out"]["speakers"]) == (["en"], 2)
