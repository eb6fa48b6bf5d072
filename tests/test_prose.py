"""The figures in the sentences of the README and of the results' page, from the kept results that they speak of."""

from tests.prose import (
    FULL,
    README,
    RESULTS,
    accuracy,
    apart,
    between,
    by_test,
    difference,
    mean,
    over_seeds,
    over_speakers,
    report,
    spread,
    uar,
)


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
