"""Every experiment of the papers: its parts fit together, stored results are of it, and it runs on corpora not at hand."""

import inspect
import json
from pathlib import Path

import pytest

from sertf import corpora
from sertf.experiment import command_line
from sertf.experiment.cells import resolve
from sertf.experiment.checks import check_folds
from sertf.experiment.description import digest
from sertf.features import FEATURES
from sertf.models import MODELS
from sertf.models.classical import CLASSICAL
from sertf.models.linear import LINEAR
from sertf.papers import cnn_transformer, find, serct, speechnet, wavelet_cnn_lstm
from sertf.protocols import splits, zero_shot
from sertf.protocols.audit import audit
from sertf.reports.markdown import HOURS
from tests import toy
from tests.corpora import trees

FOLDER = Path(__file__).parents[1] / "experiments"
OTHER_FOLDS = "the recipe was chosen by validation utterances of speakers who are tested"
KEPT = sorted(FOLDER.glob("results/*/*/*/report.json"))
ON_ANY_CORPUS = {
    "speechnet": speechnet.experiment,
    "speechnet_ablation": speechnet.ablation,
    "speechnet_ablation_softmax": speechnet.ablation_of_softmax,
    "speechnet_baselines": speechnet.baselines,
    "speechnet_baselines_segments": speechnet.baselines_on_segments,
    "speechnet_baselines_functionals": speechnet.baselines_on_functionals,
    "speechnet_linear": speechnet.linear,
    "serct": serct.experiment,
    "serct_ablation": serct.ablation,
    "serct_baselines": serct.baselines,
    "serct_depth": serct.depth,
}
NAMES = [
    "demo",
    "functionals_ravdess",
    "functionals_emodb",
    "functionals_emobox",
    "reslstm_sa_ravdess",
    "reslstm_sa_notebook_ravdess",
    "cnn_transformer_ravdess",
    "attentive_cnn_ravdess",
    "attentive_cnn_emodb",
    "attentive_cnn_emobox",
    "attentive_cnn_across",
    "attentive_cnn_ablation",
    "wavelet_cnn_lstm_emodb",
    "wavelet_cnn_lstm_ravdess",
    "wavelet_cnn_lstm_decayed_emodb",
    "wavelet_cnn_lstm_decayed_ravdess",
    "wavelet_cnn_lstm_rates",
    "wavelet_cnn_lstm_pooling",
    "serct_zero_shot_ravdess_to_emodb",
    *(f"{name}_emodb" for name in ON_ANY_CORPUS),
]


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_of_an_experiment_fit_together(name):
    experiment = find(name).experiment
    assert experiment.name == name
    assert set(experiment.corpora) <= set(corpora.CORPORA) and experiment.front_end in FEATURES
    for variant, chosen in experiment.variants.items():
        if chosen.model in CLASSICAL or chosen.model in LINEAR:
            assert chosen.recipes is None
        else:
            inspect.signature(MODELS[chosen.model]).bind((None, 1), 2, **chosen.options)
        inspect.signature(FEATURES[experiment.front_end]).bind(**experiment.front_end_options_of(variant))
        assert chosen.compared_with is None or chosen.compared_with[0] in experiment.variants
        for protocol, setting in experiment.protocols.items():
            cut, recipe = splits.protocol(setting.folds), experiment.recipe(variant, protocol)
            json.dumps(experiment.identity(variant, protocol))
            # What is chosen by a validation part needs one, and a part that chooses nothing is lost to training.
            assert recipe is None or (recipe.monitor is None) == ("no validation" in cut.allows)
            leaks = {sentence for _, sentence in experiment.declared_leaks(variant, protocol)} - {OTHER_FOLDS}
            assert protocol != "strict" or not (leaks or "speaker" in cut.allows or setting.watch_test)
            for key, scores in experiment.published(variant, protocol).items():
                assert len(scores) == 3 and 0 < scores[0] and (scores[0] <= 1 or key == HOURS)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: "-".join(path.parts[-4:-1]))
def test_kept_results_are_of_the_experiment_as_it_stands(path):
    """Another digest means other runs: what a change of ours must not bring about unnoticed."""
    facts = json.loads(path.read_text())["facts"]
    made = ("table_digest", "protocol_digest", "front_end_digest")
    identity = find(facts["experiment"]).experiment.identity(facts["variant"], facts["protocol"])
    if "teacher" in identity:
        identity["teacher"]["front_end_digest"] = facts["teacher"]["front_end_digest"]
    assert digest({**identity, **{name: facts[name] for name in made}}) == facts["digest"]


def test_the_wavelet_cnn_lstm_has_the_same_steps_in_both_sizes_and_what_the_paper_prints():
    for corpus, experiment in ((corpus, wavelet_cnn_lstm.experiment(corpus)) for corpus in ("emodb", "ravdess")):
        for variant in ("cpu", "paper_size"):
            chosen = experiment.variant(variant)
            front_end = FEATURES["scalogram"](**experiment.front_end_options_of(variant))
            model = MODELS["wavelet_cnn_lstm"](front_end.feature_shape, 7, **chosen.options)
            assert model.get_layer("steps").output.shape == (None, 8, 4 * 64)
        published = experiment.published("cpu", "paper")
        assert published["wa_fold-2"][0] == {"emodb": 0.9689, "ravdess": 0.7249}[corpus]
        assert {"precision_anger", "recall_anger", "f1_anger"} <= set(published)
        assert experiment.published("cpu", "strict")["wa"] != published["wa"]
        assert experiment.recipe("cpu_rate_01", "paper").learning_rate == 0.1
    assert dict(experiment.merged) == {"calm": "neutral"}


def test_the_decayed_wavelet_cnn_lstm_trains_on_all_speakers_who_are_not_tested(tmp_path):
    with pytest.warns(corpora.CorpusWarning):  # the tree has EmoDB's emotions, not its speakers' shares of them
        table = corpora.load("emodb", trees.touch(tmp_path, trees.emodb()))
    experiment = wavelet_cnn_lstm.decayed("emodb")
    speaker = table.set_index("utterance")["speaker"]
    for fold in splits.protocol(experiment.setting("strict").folds)(table, seed=experiment.seed):
        tested = set(speaker[list(fold.test)])
        assert len(tested) == 2 and set(speaker[list(fold.train)]) == set(speaker) - tested and not fold.validation
    for variant, protocol in (("cpu", "paper"), ("cpu_masks", "strict")):
        recipe = experiment.recipe(variant, protocol)
        assert [recipe.learning_rate_at(epoch) for epoch in (0, 34, 35, 49)] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])
    # A clip has its place drawn once, or anew in every step: not both.
    for chosen in experiment.variants.values():
        assert (chosen.augmentation is None) == chosen.options.get("moved", False)
    assert len({experiment.variants[name].augmentation for name in ("cpu", "cpu_placed_once")}) == 2
    rates = wavelet_cnn_lstm.rates()
    assert [rates.recipe(name, "strict").learning_rate for name in rates.variants] == [1e-3, 3e-4, 1e-4]


@pytest.fixture(scope="module")
def few_speakers(tmp_path_factory):
    """Tables of the corpora of two and four speakers, from the names of their files."""
    names = {"tess": trees.tess(), "savee": trees.savee(), "casia": trees.casia()}
    return {name: corpora.load(name, trees.touch(tmp_path_factory.mktemp(name), names[name])) for name in names}


@pytest.mark.parametrize("corpus", ["tess", "savee", "casia"])
@pytest.mark.parametrize("name", ON_ANY_CORPUS)
def test_corpora_of_few_speakers_can_be_parted(few_speakers, name, corpus):
    experiment = ON_ANY_CORPUS[name](corpus)
    pairs = [(variant, protocol) for variant in experiment.variants for protocol in experiment.protocols]
    cells = resolve(experiment, list(experiment.variants), list(experiment.protocols))
    check_folds(cells, few_speakers[corpus])  # raises where a recipe has nobody to choose an epoch by
    assert splits.protocol(experiment.setting("strict").folds).allows <= {"no validation"}
    monitors = {(recipe := experiment.recipe(variant, "strict")) and recipe.monitor for variant, _ in pairs}
    in_epochs = any(variant.recipes for variant in experiment.variants.values())
    assert monitors - {None} == ({"uar"} if in_epochs and corpus != "tess" else set())


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("speechnet", "small_segments"),
        ("speechnet_baselines", "svm"),
        ("speechnet_baselines_segments", "svm"),
        ("speechnet_linear", "ridge_segments"),
        ("serct_depth", "layers_1"),
    ],
)
def test_scripts_train_and_report(corpus, cache, tmp_path, monkeypatch, capsys, name, variant):
    """From the command line to the table, on two speakers of the tiny corpus in place of TESS's."""
    toy.in_process(monkeypatch)
    two = corpus[corpus["speaker"].isin(sorted(set(corpus["speaker"]))[:2])]
    monkeypatch.setattr(command_line.corpora, "load", lambda *_, **__: two)
    on = ON_ANY_CORPUS[name]
    arguments = ["--corpus", "tess", "--data", "unused", "--variant", variant, "--protocol", "strict", "--smoke"]
    arguments += ["--out", str(tmp_path), "--cache", str(cache)]
    command_line.main(on("emodb"), arguments, on=on)
    place = tmp_path / "results" / on("tess").name / variant / "strict"
    report = json.loads((place / "report.json").read_text())
    assert 0 <= report["scores"]["uar"]["mean"] <= 1 and report["facts"]["folds"] == ["fold-1", "fold-2"]
    assert f"\n{variant}  " in capsys.readouterr().out


def test_serct_on_tess(tmp_path):
    """Its folds, from the names of its files."""
    table = corpora.load("tess", trees.touch(tmp_path, trees.tess()))
    experiment = serct.experiment("tess")
    folds = {}
    for name in ("paper", "strict"):
        cut = splits.protocol(experiment.setting(name).folds)
        folds[name] = cut(table, seed=experiment.seed)
        audit(folds[name], table, allows=cut.allows)
    assert [(len(fold.train), len(fold.test)) for fold in folds["paper"]] == [(2520, 280)]
    assert [(len(fold.train), len(fold.test)) for fold in folds["strict"]] == [(1400, 1400)] * 2
    assert experiment.variants["narrow"].published["wa"] == (0.9893, None, None)
    assert experiment.recipe("narrow", "strict").monitor is None
    for rate in (3e-4, 1e-4):
        assert experiment.recipe(f"narrow_rate_{serct.shortened(rate)}", "paper").learning_rate == rate
    assert "narrow_rate_1e-4" not in serct.experiment("emodb").variants
    assert any("two speakers" in remark for remark in experiment.remarks)


def test_sercts_baselines_on_tess_as_in_the_code():
    experiment = serct.baselines("tess")
    for name in ("mlp", "lstm", "cnn", "cnn_bilstm", "svm"):
        variant = experiment.variant(f"code_{name}")
        assert not variant.for_gpu and variant.published == experiment.variant(name).published
        heard = experiment.front_end_options_of(f"code_{name}")
        assert (heard == {"sample_rate": 24_414, "samples": 8000}) == (name in ("mlp", "lstm", "svm"))
        assert variant.options.get("softmax_twice", False) == (name in ("lstm", "cnn"))
    assert experiment.recipe("code_cnn", "paper").learning_rate == 1e-3
    assert experiment.recipe("code_cnn_bilstm", "paper").learning_rate == 1e-5
    assert not any(name.startswith("code_") for name in serct.baselines("emodb").variants)


def test_serct_zero_shot_from_tess(tmp_path):
    """The six emotions and 454 utterances of EmoDB that the thesis counts."""
    folders = {
        "tess": trees.touch(tmp_path / "tess", trees.tess()),
        "emodb": trees.touch(tmp_path / "e", trees.emodb()),
    }
    with pytest.warns(corpora.CorpusWarning):  # the tree has EmoDB's emotions, not its speakers' shares of them
        table = zero_shot.shared_emotions(corpora.load_several(folders))
    experiment = serct.zero_shot("tess", ("emodb",))
    assert experiment.name == "serct_zero_shot_tess_to_emodb" and experiment.corpora == ("tess", "emodb")
    for variant, uar in (("narrow_rate_3e-4", 0.3712), ("cnn", 0.1699)):
        assert experiment.published(variant, "paper")["uar"] == (uar, None, None)
    assert experiment.published("mlp", "paper") == {}  # in the code from ESD
    assert any("is a guess" in remark for remark in experiment.remarks)
    assert serct.zero_shot("tess", ("emodb", "ravdess")).published("narrow", "paper") == {}
    for name, trained in (("paper", 2160), ("strict", 1200)):
        (fold,) = splits.protocol(experiment.setting(name).folds)(table, seed=experiment.seed)
        assert (fold.name, len(fold.train), len(fold.test)) == ("emodb", trained, 454)
    assert serct.zero_shot("ravdess", ("tess", "emodb")).name.endswith("ravdess_to_emodb_tess")


@pytest.mark.parametrize(
    "experiment",
    [
        speechnet.experiment("emodb"),
        cnn_transformer.experiment(),
        wavelet_cnn_lstm.experiment("emodb"),
        wavelet_cnn_lstm.decayed("emodb"),
        serct.experiment("tess"),
    ],
    ids=lambda experiment: experiment.name,
)
def test_a_published_size_runs_only_where_it_is_named(experiment):
    variants = experiment.variants
    small = {variant for variant in variants if variant.startswith(("small", "cpu", "narrow"))}
    assert small and {variant for variant in variants if not variants[variant].for_gpu} == small


def test_published_sizes_of_sercts_baselines_run_only_where_they_are_named():
    variants = serct.baselines("emodb").variants
    assert {name for name in variants if variants[name].for_gpu} == {n for n in variants if n.startswith("paper_size_")}


def test_sizes_and_rates_of_serct():
    experiment = serct.experiment("tess")
    assert experiment.front_end_options_of("paper_size") == {"samples": 144_000}  # at each file's own rate
    assert experiment.front_end_options_of("narrow") == {"sample_rate": 16000, "samples": 48_000}
    large = serct.zero_shot("ravdess", ("emodb",)).front_end_options_of("paper_size")
    assert large == {"sample_rate": 16000, "samples": 144_000}  # corpora differ in rate
    layers = [variant.options["layers"] for variant in serct.depth("emodb").variants.values()]
    assert layers == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("make", "variant", "wa"),
    [
        (serct.experiment, "narrow", 0.5200),
        (serct.ablation, "without_cnn", 0.3779),
        (serct.baselines, "cnn", 0.4732),
    ],
)
def test_what_serct_prints_of_esd_is_of_its_english_part(make, variant, wa):
    assert make("esd_en").published(variant, "paper")["wa"] == (wa, None, None)
    assert make("esd_en").name.endswith("_esd_en")
    for corpus in ("esd", "esd_zh"):
        assert make(corpus).published(variant, "paper") == {}


def test_serct_from_one_language_of_esd_to_the_other():
    experiment = serct.zero_shot("esd_en", ("esd_zh",))
    assert experiment.published("narrow", "paper") == {}  # of what it was trained on the thesis says nothing
    assert experiment.name == "serct_zero_shot_esd_en_to_esd_zh" and experiment.corpora == ("esd",)
