"""The figures in the sentences of the README and of the results' page, from the kept results that they speak of."""

import json
from pathlib import Path

from sertf.kept import read_history

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


def difference(experiment, variant, protocol):
    """What an overview sets the variant apart by."""
    (found,) = (
        row
        for row in json.loads((RESULTS / experiment / "overview.json").read_text())["differences"]
        if (row["variant"], row["protocol"]) == (variant, protocol)
    )
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
    assert f"{mean(f'{small}/strict')} with speakers apart, where gradient boosting on the same values gets " in README
    assert f"on the same values gets {mean(f'{boosting}/strict')}." in README
    assert f"give {mean(f'{margins}/paper')}, and {by_test(f'{margins}/paper')} with the epoch chosen" in README
    assert f"On RAVDESS a UAR of {uar(f'{ravdess}/paper')} and {uar(f'{ravdess}/strict')}." in README
    assert f"not met: {spread(f'{small}/paper')}. The number" in FULL
    assert f"the published size gives {spread(f'{emodb}/segments/paper')} too" in FULL
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
    overview = "speechnet_ablation_emodb", "without_encoding", "paper"
    assert f"lower over seeds ({over_seeds(*overview)}), which over speakers" in FULL
    assert f"is not shown ({over_speakers(*overview)}); for the other" in FULL


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
    apart = [uar(f"{place}/strict") for place in (emodb, ravdess)]
    assert f"a UAR of {printed[0]} on EmoDB and {printed[1]} on RAVDESS; at one that validation chose, " in README
    assert f"validation chose, {chosen[0]} and {chosen[1]}. With speakers apart" in README
    assert f"With speakers apart, at the printed rate, {apart[0]} and {apart[1]}." in README
    of_emodb, of_ravdess = (between(f"{place}/paper", "uar") for place in (emodb, ravdess))
    assert f"a UAR of {printed[0]} on EmoDB (54 test utterances, over speakers {of_emodb}, chance 0.14)" in FULL
    assert f"and of {printed[1]} on RAVDESS (144, {of_ravdess}, chance 0.125)" in FULL
    of_emodb, of_ravdess = (between(f"{place}{rate}/paper", "uar") for place in (emodb, ravdess))
    assert f"At 3e-4: {chosen[0]} ({of_emodb}) and {chosen[1]} ({of_ravdess}), differences " in FULL
    names = [(f"serct_ablation_{corpus}", f"serct_{corpus}/narrow{rate}", "paper") for corpus in ("emodb", "ravdess")]
    assert f"differences {both(*names[0])}, and {both(*names[1])}; with each" in FULL
    best = [by_test(f"{place}{rate}/paper", "uar") for place in (emodb, ravdess)]
    assert f"epoch chosen by the test part {best[0]} and {best[1]}." in FULL
    of_emodb, of_ravdess = (between(f"{place}/strict", "uar") for place in (emodb, ravdess))
    assert f"{apart[0]} on EmoDB (3 × 5 folds, {of_emodb}) and {apart[1]} on RAVDESS (1 × 5, {of_ravdess})" in FULL


def test_ablations_of_serct():
    emodb, ravdess, rate = "serct_ablation_emodb", "serct_ablation_ravdess", "_rate_3e-4"
    attention, cnn, transformer = "vanilla_attention", "without_cnn", "without_transformer"
    for text in (
        f"that scores {uar(f'{emodb}/{attention}/paper')} at 1e-3 (difference "
        f"{over_speakers(emodb, attention, 'paper')} over speakers), {uar(f'{emodb}/{attention}/strict')} with speakers "
        f"apart ({over_speakers(emodb, attention, 'strict')}) and {uar(f'{emodb}/{attention}{rate}/paper')} at 3e-4 (one "
        f"run, {over_speakers(emodb, attention + rate, 'paper')}), on RAVDESS",
        f"{uar(f'{ravdess}/{attention}{rate}/paper')} at 3e-4 ({both(ravdess, attention + rate, 'paper')}). At 1e-3 its "
        f"three runs on RAVDESS learnt nothing ({both(ravdess, attention, 'paper')}).",
        f"on EmoDB {uar(f'{emodb}/{transformer}/paper')} ({both(emodb, transformer, 'paper')}), with speakers apart "
        f"{uar(f'{emodb}/{transformer}/strict')} ({both(emodb, transformer, 'strict')}), on RAVDESS "
        f"{uar(f'{ravdess}/{transformer}/paper')} ({both(ravdess, transformer, 'paper')}). At 3e-4 it scores "
        f"{uar(f'{emodb}/{transformer}{rate}/paper')} on EmoDB (one run, "
        f"{over_speakers(emodb, transformer + rate, 'paper')} over speakers) and lower on RAVDESS, "
        f"{uar(f'{ravdess}/{transformer}{rate}/paper')} ({both(ravdess, transformer + rate, 'paper')}).",
        f"{uar(f'{emodb}/{cnn}/paper')} on EmoDB at 1e-3 ({over_speakers(emodb, cnn, 'paper')} over speakers), with "
        f"speakers apart lower, {uar(f'{emodb}/{cnn}/strict')} ({both(emodb, cnn, 'strict')}), on RAVDESS "
        f"{uar(f'{ravdess}/{cnn}/paper')} ({over_speakers(ravdess, cnn, 'paper')} over speakers); at 3e-4 lower on both, "
        f"{uar(f'{emodb}/{cnn}{rate}/paper')} (one run, {over_speakers(emodb, cnn + rate, 'paper')}) and "
        f"{uar(f'{ravdess}/{cnn}{rate}/paper')} ({both(ravdess, cnn + rate, 'paper')}).",
    ):
        assert text in FULL


def test_serct_zero_shot():
    away, back = "serct_zero_shot_emodb_to_ravdess/narrow", "serct_zero_shot_ravdess_to_emodb/narrow"
    assert f"scores {uar(f'{away}/paper')} on RAVDESS (3 repeats, {between(f'{away}/paper', 'uar')}), " in FULL
    assert f"), {uar(f'{away}/strict')} ({between(f'{away}/strict', 'uar')}) where" in FULL
    values = report(f"{back}/paper")["scores"]["uar"]["values"]
    assert f"one run of three gets {max(values):.2f} on EmoDB, the other two {min(values):.2f}, and" in FULL
    scores = [uar(f"{place}/{protocol}") for place in (away, back) for protocol in ("paper", "strict")]
    assert f"it scores {min(scores)} to {max(scores)} in the other, chance being 0.17" in README
