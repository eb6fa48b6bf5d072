"""The figures in the sentences of the README and of the results' page, from the kept results that they speak of."""

import json
from pathlib import Path

from sertf import statistics
from sertf.kept import read_history, read_predictions

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "experiments" / "results"
README, FULL = (
    " ".join(page.read_text(encoding="utf-8").split()) for page in (ROOT / "README.md", RESULTS / "README.md")
)


def report(place):
    return json.loads((RESULTS / place / "report.json").read_text())


def mean(place, score="wa"):
    return f"{report(place)['scores'][score]['mean']:.2f}"


def uar(place):
    return mean(place, "uar")


def spread(place, score="wa"):
    found = report(place)["scores"][score]
    return f"{found['mean']:.2f} ± {found['std']:.2f}"


def between(place, score="wa"):
    """The interval over speakers."""
    found = report(place)["scores"][score]
    return f"{found['low']:.2f} to {found['high']:.2f}"


def by_test(place, score="wa"):
    """The mean of the highest score of any epoch on the test part, which each run's history keeps."""
    history = read_history(RESULTS / place / "history.csv.gz")
    return f"{history.groupby(['repeat', 'fold'])[f'test_{score}'].max().groupby('repeat').mean().mean():.2f}"


def accuracy(place, column, group):
    return f"{report(place)['groups'][column]['groups'][group]['accuracy']:.2f}"


def share(place, score):
    return f"{100 * report(place)['reproducibility'][score]:.0f} %"


def signed(value, digits=2):
    return f"{value:+.{digits}f}".replace("-", "−")


def differences_of(experiment):
    return json.loads((RESULTS / experiment / "overview.json").read_text())["differences"]


def difference(experiment, variant, protocol):
    """What an overview sets the variant apart by."""
    (found,) = (row for row in differences_of(experiment) if (row["variant"], row["protocol"]) == (variant, protocol))
    return found


def apart(*names, digits=2):
    return signed(difference(*names)["difference"], digits)


def over_speakers(*names, digits=2):
    found = difference(*names)
    return f"{signed(found['low'], digits)} to {signed(found['high'], digits)}"


def over_seeds(*names, digits=2):
    found = difference(*names)["over_repeats"]
    return f"{signed(found['low'], digits)} to {signed(found['high'], digits)}"


def test_reslstm_sa():
    ours, lstm = "reslstm_sa_ravdess/reslstm_sa_h64", "reslstm_sa_ravdess/lstm_sa_h64"
    assert uar(f"{ours}/paper") == uar(f"{ours}/strict")
    assert f"10 repeats: a UAR of {uar(f'{ours}/strict')} under either protocol" in README
    assert f"{uar(f'{ours}/strict')} here under either protocol, and {by_test(f'{ours}/paper', 'uar')} if each" in FULL
    assert report(f"{ours}/strict")["scores"]["uar"]["mean"] < report(f"{lstm}/strict")["scores"]["uar"]["high"]
    women, men = (accuracy(f"{ours}/strict", "gender", group) for group in ("female", "male"))
    strong, normal = (accuracy(f"{ours}/strict", "intensity", group) for group in ("strong", "normal"))
    assert f"({women} against {men}, permutation" in FULL
    assert f"({strong} against {normal}, p = 0.0002" in FULL


def test_speechnet():
    emodb, ravdess = "speechnet_emodb", "speechnet_ravdess/small_segments"
    small, margins, vector = (
        f"{emodb}/{name}" for name in ("small_segments", "small_segments_sabour_margins", "small_utterance")
    )
    boosting, vectors = (f"speechnet_baselines_emodb/{name}" for name in ("gradient_boosting", "svm"))
    assert f"10 repeats: {mean(f'{small}/paper')} with shared speakers, where 0.88 is published, and" in README
    assert f"{mean(f'{small}/strict')} with speakers apart, where gradient boosting on the means of" in README
    assert f"over the utterance gets {mean(f'{boosting}/strict')}, a difference that is not shown." in README
    tables = (read_predictions(RESULTS / place / "strict" / "predictions.csv.gz") for place in (small, boosting))
    found = statistics.clustered_difference(*tables, score="wa")
    assert found.low < 0 < found.high
    assert f"give {mean(f'{margins}/paper')}, and {by_test(f'{margins}/paper')} with the epoch chosen" in README
    assert f"On RAVDESS a UAR of {uar(f'{ravdess}/paper')} and {uar(f'{ravdess}/strict')}; with" in README
    assert f"not met: {spread(f'{small}/paper')}. A network" in FULL
    assert f"number of parameters gives {spread(f'{emodb}/segments/paper')} too" in FULL
    recalls = [mean(f"{place}/paper", "thresholded_recall") for place in (small, margins)]
    assert f"as the paper thresholds it: {recalls[0]} here, {recalls[1]} with Sabour's margins" in FULL
    overview = "speechnet_emodb", "segments", "paper"
    assert f"(difference {apart(*overview, digits=3)}, over speakers {over_speakers(*overview, digits=3)})" in FULL
    overview = "speechnet_emodb", "small_segments_sabour_margins", "paper"
    assert (
        f"give {mean(f'{margins}/paper')} with shared speakers (difference {apart(*overview, digits=3)}, over seeds "
        f"{over_seeds(*overview, digits=3)}, over speakers {over_speakers(*overview, digits=3)})" in FULL
    )
    overview = "speechnet_emodb", "segments_sabour_margins", "paper"
    assert (
        f"published size {mean(f'{emodb}/segments_sabour_margins/paper')} ({apart(*overview, digits=3)}, over "
        f"speakers {over_speakers(*overview, digits=3)})" in FULL
    )
    overview = "speechnet_emodb", "small_segments_sabour_margins", "strict"
    assert f"({apart(*overview, digits=3)}, over speakers {over_speakers(*overview, digits=3)})." in FULL
    assert f"{mean(f'{small}/paper')} would be {by_test(f'{small}/paper')}, and {mean(f'{margins}/paper')} with" in FULL
    larger = by_test(f"{emodb}/segments_sabour_margins/paper")
    assert f"Sabour's margins {by_test(f'{margins}/paper')} ({larger} in the published size)" in FULL
    assert f"{mean(f'{small}/paper')} becomes {mean(f'{small}/strict')} on EmoDB, and" in FULL
    assert f"and {uar(f'{ravdess}/paper')} becomes {uar(f'{ravdess}/strict')} on RAVDESS (UAR)" in FULL
    assert f"the input gives {mean(f'{vector}/paper')} (`strict` {mean(f'{vector}/strict')}), where" in FULL
    assert f"107 values gives {mean(f'{boosting}/paper')} ({mean(f'{boosting}/strict')}) and a support" in FULL
    assert f"vector machine {mean(f'{vectors}/paper')} ({mean(f'{vectors}/strict')})." in FULL
    others = [
        mean(f"speechnet_baselines_emodb/{name}/strict")
        for name in ("autoencoder", "rbm", "tcn", "cnn", "unet", "lstm", "gru", "transformer", "lsm")
    ]
    assert f"restricted Boltzmann machine get {others[0]}, the others {min(others[2:])} to {max(others[2:])}." in FULL
    assert others[0] == others[1]
    assert f"92 % of the test utterances is {share(f'{small}/paper', 'PLR')} here, " in FULL
    assert f"here, {share(f'{margins}/paper', 'PLR')} with Sabour's margins, and " in FULL
    assert f"and {share(f'{small}/strict', 'PLR')} with speakers apart" in FULL
    for variant, text in (
        ("without_attention", "{} without it ({} and {})"),
        ("without_modified_routing", "it scores higher, {} ({} and {})"),
    ):
        overview = "speechnet_ablation_emodb", variant, "paper"
        assert text.format(apart(*overview), over_speakers(*overview), over_seeds(*overview)) in FULL
    for variant, text in (
        ("without_attention", ""),
        ("without_refinement", "the refinement "),
        ("without_encoding", ""),
    ):
        overview = "speechnet_ablation_emodb", variant, "strict"
        assert f"{text}({apart(*overview)}; {over_speakers(*overview)})" in FULL
    assert [
        row["variant"]
        for row in differences_of("speechnet_ablation_emodb")
        if row["protocol"] == "strict" and not row["low"] <= 0 <= row["high"]
    ] == ["without_attention", "without_encoding", "without_refinement"]
    overview = "speechnet_ablation_emodb", "without_encoding", "paper"
    assert f"lower over seeds ({over_seeds(*overview)}), which over speakers" in FULL
    assert f"is not shown ({over_speakers(*overview)}); for the other" in FULL


def test_speechnet_on_ravdess():
    baselines, ablations, whole = "speechnet_baselines_ravdess", "speechnet_ablation_ravdess", "speechnet_ravdess"
    for protocol in ("paper", "strict"):
        rows = [row for row in differences_of(baselines) if row["protocol"] == protocol]
        assert len(rows) == 11 and all(row["high"] < 0 for row in rows)
    for name, protocol in (("autoencoder", "paper"), ("rbm", "strict")):
        others = [row["variant"] for row in differences_of(baselines)]
        assert uar(f"{baselines}/{name}/{protocol}") == max(uar(f"{baselines}/{other}/{protocol}") for other in others)
    ours = uar(f"{whole}/small_segments/paper")
    assert f"with shared speakers {ours}, the next, the autoencoder, {uar(f'{baselines}/autoencoder/paper')}" in FULL
    overview = baselines, "autoencoder", "paper"
    assert f"({apart(*overview)}; {over_speakers(*overview)} over speakers, {over_seeds(*overview)} over seeds)" in FULL
    ours = uar(f"{whole}/small_segments/strict")
    found = f"with speakers apart {ours}, the next, the restricted Boltzmann machine, {uar(f'{baselines}/rbm/strict')} "
    overview = baselines, "rbm", "strict"
    assert f"{found}({apart(*overview)}; {over_speakers(*overview)} over speakers, one repeat against two)" in FULL
    overview = ablations, "without_routing", "paper"
    found = f"a UAR of {spread(f'{ablations}/without_routing/paper', 'uar')} (4 repeats), {apart(*overview)} ("
    assert f"{found}{over_speakers(*overview)} over speakers; " in FULL
    values, others = (
        report(place)["scores"]["uar"]["values"]
        for place in (f"{ablations}/without_routing/paper", f"{whole}/small_segments/paper")
    )
    found = f"lowest of the four, {min(values):.2f}, is higher than the highest of the ten with it, {max(others):.2f})"
    assert found in FULL and len(values) == 4 and len(others) == 10
    assert [row["variant"] for row in differences_of(ablations) if not row["low"] <= 0 <= row["high"]] == [
        "without_routing"
    ]
    best, without = uar(f"{baselines}/autoencoder/paper"), uar(f"{ablations}/without_routing/paper")
    assert f"the best of them {best}, and the network without its routing higher, {without}." in README


def test_cnn_transformer():
    plain, masks = "cnn_transformer_ravdess/cpu", "cnn_transformer_ravdess/cpu_masks_160_epochs"
    assert f"its small network: {mean(f'{masks}/paper')} of 0.80 published, once" in README
    assert f"does not do; {mean(f'{masks}/strict')} with speakers apart" in README
    assert f"160 epochs: {spread(f'{masks}/paper')} with shared speakers (3 repeats, over speakers " in FULL
    assert f"over speakers {between(f'{masks}/paper')}), where" in FULL
    assert f"and {mean(f'{masks}/strict')} with speakers apart (1 × 5 folds, {between(f'{masks}/strict')})" in FULL
    assert f"after 40 epochs, {mean(f'{plain}/paper')} (3 repeats) and {mean(f'{plain}/strict')} (1 × 5 folds)" in FULL
    assert f"100 epochs they reach {mean(f'{plain}_masks_100_epochs/paper')} (2 repeats)" in FULL
    names = ("cnn_transformer_ravdess", "cpu_masks_160_epochs")
    assert f"by {apart(*names, 'paper')} under either ({over_speakers(*names, 'paper')} over speakers, " in FULL
    assert f"{over_seeds(*names, 'paper')} over three seeds; with speakers apart" in FULL
    assert f"with speakers apart {over_speakers(*names, 'strict')} over speakers, one run" in FULL
    assert apart(*names, "paper") == apart(*names, "strict")
    women, men = (accuracy(f"{masks}/strict", "gender", group) for group in ("female", "male"))
    strong, normal = (accuracy(f"{masks}/strict", "intensity", group) for group in ("strong", "normal"))
    assert f"than men ({women} against {men}, permutation" in FULL
    assert f"normal ones ({strong} against {normal}, p = 0.002" in FULL
    noise = ("cnn_transformer_ravdess", "cpu_fresh_noise", "paper")
    assert f"to help ({mean(f'{plain}_fresh_noise/paper')}, {over_speakers(*noise, digits=3)} over" in FULL
    assert f"12 of 1000 epochs, reaches {mean('cnn_transformer_ravdess/paper_size_12_epochs/paper')}, its" in FULL


def test_wavelet_cnn_lstm():
    emodb, ravdess, pooling = "wavelet_cnn_lstm_emodb/cpu", "wavelet_cnn_lstm_ravdess/cpu", "wavelet_cnn_lstm_pooling"
    assert f"its CPU size: {mean(f'{emodb}/paper')} on EmoDB and {mean(f'{ravdess}/paper')} on RAVDESS with" in README
    assert f"published), {mean(f'{emodb}/strict')} and {mean(f'{ravdess}/strict')} with speakers apart" in README
    assert f"EmoDB {mean(f'{emodb}/paper')} with shared speakers and {mean(f'{emodb}/strict')} with speakers" in FULL
    assert f"on RAVDESS {mean(f'{ravdess}/paper')} and {mean(f'{ravdess}/strict')} (" in FULL
    assert f"raise {mean(f'{emodb}/paper')} to {by_test(f'{emodb}/paper')} and {mean(f'{ravdess}/paper')} to " in FULL
    assert f"to {by_test(f'{ravdess}/paper')}." in FULL
    assert f"lift both, to {mean(f'{emodb}_masks/paper')} and {mean(f'{emodb}_masks/strict')} (diff" in FULL
    names = ("wavelet_cnn_lstm_emodb", "cpu_masks")
    assert f"speakers {over_speakers(*names, 'paper')} and {over_speakers(*names, 'strict')}; one run" in FULL
    assert f"(`strict`: {mean(f'{emodb}_rate_01/strict')}, one emotion" in FULL
    assert f"(UAR {uar(f'{pooling}/max/paper')} and {uar(f'{pooling}/average/paper')}); with speakers apart" in FULL
    assert f"above it ({uar(f'{pooling}/max/strict')} and {uar(f'{pooling}/average/strict')}, diff" in FULL


def both(*names):
    return f"{over_speakers(*names)} over speakers, {over_seeds(*names)} over seeds"


def test_serct():
    emodb, ravdess, rate = "serct_emodb/narrow", "serct_ravdess/narrow", "_rate_3e-4"
    printed = [uar(f"{place}/paper") for place in (emodb, ravdess)]
    chosen = [uar(f"{place}{rate}/paper") for place in (emodb, ravdess)]
    assert f"a UAR of {printed[0]} on EmoDB and {printed[1]} on RAVDESS; at one that validation chose, " in README
    strict = [uar(f"{place}{rate}/strict") for place in (emodb, ravdess)]
    assert f"chose, {chosen[0]} and {chosen[1]}, with speakers apart {strict[0]} and {strict[1]}." in README
    assert f"learns less: {printed[0]} on EmoDB and {printed[1]} on RAVDESS with shared speakers" in FULL
    names = [(f"serct_ablation_{corpus}", f"serct_{corpus}/narrow{rate}", "paper") for corpus in ("emodb", "ravdess")]
    gains = [f"{apart(*name)} ({both(*name)})" for name in names]
    assert f"3e-4 adds {gains[0]} and {gains[1]}." in FULL
    best = [by_test(f"{place}{rate}/paper", "uar") for place in (emodb, ravdess)]
    assert f"shared speakers would be {best[0]} on EmoDB and {best[1]} on RAVDESS;" in FULL
    names = ("serct_ablation_emodb", f"{emodb}{rate}", "strict")
    of_emodb, of_ravdess = (between(f"{place}/strict", "uar") for place in (emodb, ravdess))
    assert (
        f"With speakers apart {uar(f'{emodb}/strict')} (3 × 5 folds, {of_emodb}; 3e-4 adds {apart(*names)} "
        f"({both(*names)})) and {uar(f'{ravdess}/strict')} (1 × 5, {of_ravdess})." in FULL
    )
    without = [(f"serct_ablation_{corpus}", "without_transformer", "paper") for corpus in ("emodb", "ravdess")]
    for names in without:
        found = difference(*names)
        assert found["low"] > 0 and found["over_repeats"]["low"] < 0
    shared = [uar("/".join(names)) for names in without]
    assert f"with shared ones {shared[0]} and {shared[1]}, which over seeds is not shown, and with" in FULL
    names = (*without[0][:2], "strict")
    assert f"with speakers apart, on EmoDB, {uar('/'.join(names))} ({both(*names)}) (" in FULL


SERCT_PARTS = {
    "vanilla_attention": "ordinary attention",
    "without_transformer": "without transformer",
    "without_cnn": "without CNN",
}


def serct_table():
    """Rows of the table of SERCT's ablations at 3e-4."""

    def whole(place):
        return f"{uar(place)} ({between(place, 'uar')})"

    def part(experiment, name, protocol):
        found = difference(experiment, name, protocol)
        seeds = f"; {over_seeds(experiment, name, protocol)}" if found["over_repeats"] else ""
        return f"{apart(experiment, name, protocol)} ({over_speakers(experiment, name, protocol)}{seeds})"

    def row(head, cell, place):
        cells = [
            cell(corpus, protocol) if (RESULTS / place.format(corpus) / protocol).is_dir() else "not run"
            for corpus in ("emodb", "ravdess")
            for protocol in ("paper", "strict")
        ]
        return f"| {head} | {' | '.join(cells)} |"

    rows = [
        "| | EmoDB, shared speakers | EmoDB, speakers apart | RAVDESS, shared speakers | RAVDESS, speakers apart |",
        "| --- | --- | --- | --- | --- |",
        row("SERCT", lambda c, p: whole(f"serct_{c}/narrow_rate_3e-4/{p}"), "serct_{}/narrow_rate_3e-4"),
    ]
    for name, head in SERCT_PARTS.items():
        name += "_rate_3e-4"
        rows.append(
            row(head, lambda c, p, name=name: part(f"serct_ablation_{c}", name, p), f"serct_ablation_{{}}/{name}")
        )
    return rows


def test_ablations_of_serct():
    page = (RESULTS / "README.md").read_text(encoding="utf-8")
    assert "\n".join(serct_table()) in page
    name, shown = "vanilla_attention_rate_3e-4", []
    for corpus in ("emodb", "ravdess"):
        for protocol in ("paper", "strict"):
            found = difference(f"serct_ablation_{corpus}", name, protocol)
            seeds = found["over_repeats"]
            shown.append((not found["low"] < 0 < found["high"], not seeds["low"] < 0 < seeds["high"]))
    assert shown == [(False, False)] * 4 and "nowhere shown to differ from ordinary attention, neither over" in FULL
    worth = {
        (corpus, protocol, part)
        for corpus in ("emodb", "ravdess")
        for protocol in ("paper", "strict")
        for part in ("cnn", "transformer")
        if (RESULTS / f"serct_ablation_{corpus}" / f"without_{part}_rate_3e-4" / protocol).is_dir()
        and (found := difference(f"serct_ablation_{corpus}", f"without_{part}_rate_3e-4", protocol))["high"] < 0
        and found["over_repeats"]["high"] < 0
    }
    assert worth == {("emodb", "paper", "cnn"), ("emodb", "strict", "cnn"), ("ravdess", "strict", "transformer")}
    assert "over both are the CNN on EmoDB, under either protocol, and the transformer on RAVDESS with speakers" in FULL


def test_depths_of_serct():
    *scores, last = (uar(f"serct_depth_emodb/layers_{n}/paper") for n in range(1, 7))
    assert (
        f"one run each with shared speakers on EmoDB, the UAR is {', '.join(scores)} and {last}: none is shown" in FULL
    )
    for n in range(1, 7):
        found = difference("serct_depth_emodb", f"layers_{n}", "paper")
        assert found["low"] < 0 < found["high"]


def test_baselines_of_serct():
    of = {name: uar(f"serct_baselines_emodb/{name}/paper") for name in ("cnn_bilstm", "lstm", "cnn", "svm", "mlp")}
    assert (
        f"the CNN-BiLSTM has a UAR of {of['cnn_bilstm']}, the LSTM {of['lstm']}, the CNN {of['cnn']}, the support vector "
        f"machine {of['svm']} and the MLP {of['mlp']}: over speakers SERCT's {uar('serct_emodb/narrow/paper')} at that rate "
        "lies above all but the first." in FULL
    )
    for name in of:
        assert (difference("serct_baselines_emodb", name, "paper")["high"] < 0) == (name != "cnn_bilstm")


def zero_shot_seeds(place, corpus):
    """The interval over seeds of a zero-shot UAR."""
    low, high = report(place)["by_corpus"][corpus]["scores"]["uar"]["over_repeats"]
    return f"{low:.2f} to {high:.2f}"


def test_serct_zero_shot():
    away, back = "serct_zero_shot_emodb_to_ravdess/narrow", "serct_zero_shot_ravdess_to_emodb/narrow"
    to_emodb, to_ravdess = (f"{place}_rate_3e-4/strict" for place in (back, away))
    assert (
        f"trained on RAVDESS it scores {uar(to_emodb)} on EmoDB ({between(to_emodb, 'uar')} over speakers, "
        f"{zero_shot_seeds(to_emodb, 'emodb')} over seeds), above chance;" in FULL
    )
    assert (
        f"trained on EmoDB {uar(to_ravdess)} on RAVDESS ({between(to_ravdess, 'uar')}), above it over speakers, which "
        f"over seeds is not shown ({zero_shot_seeds(to_ravdess, 'ravdess')})." in FULL
    )
    splits = [f"{place}_rate_3e-4/paper" for place in (back, away)]
    assert (
        f"On the authors' split these are {uar(splits[0])} and {uar(splits[1])}, above chance over both "
        f"({zero_shot_seeds(splits[0], 'emodb')} and {zero_shot_seeds(splits[1], 'ravdess')} over seeds)." in FULL
    )
    places = [(to_emodb, "emodb", True), (to_ravdess, "ravdess", False)]
    for place, corpus, shown in (*places, (splits[0], "emodb", True), (splits[1], "ravdess", True)):
        entry = report(place)["by_corpus"][corpus]["scores"]["uar"]
        assert entry["low"] > entry["chance"] and (entry["over_repeats"][0] > entry["chance"]) == shown
    assert f"it scores {uar(to_emodb)} from English to German and {uar(to_ravdess)} back, chance" in README
    assert f"trained on EmoDB it scores {uar(f'{away}/paper')} and {uar(f'{away}/strict')} (" in FULL
    runs = [value for name in ("paper", "strict") for value in report(f"{back}/{name}")["scores"]["uar"]["values"]]
    assert "five of six runs trained on RAVDESS learnt nothing" in FULL and sum(value < 0.17 for value in runs) == 5
