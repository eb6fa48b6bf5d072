"""The figures in the sentences on SpeechNet, from the kept results that they speak of."""

from sertf.evaluation.statistics import clustered_difference
from sertf.runs.stored import read_predictions
from tests.prose import (
    FULL,
    README,
    RESULTS,
    apart,
    by_test,
    differences_of,
    exact,
    mean,
    over_seeds,
    over_speakers,
    repeats,
    share,
    spread,
    uar,
)


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
    found = clustered_difference(*tables, score="wa")
    assert found.low < 0 < found.high
    assert f"give {mean(f'{margins}/paper')}, and {by_test(f'{margins}/paper')} with the epoch chosen" in README
    assert f"On RAVDESS a UAR of {uar(f'{ravdess}/paper')} and {uar(f'{ravdess}/strict')}, above all eleven" in README
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
        assert len(rows) == 11 and all(row["high"] < 0 and row["over_repeats"]["high"] < 0 for row in rows)
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
    assert over_speakers(*overview) == over_seeds(*overview)
    found += f"({apart(*overview)}; {over_speakers(*overview)} over speakers and over seeds, three repeats against ten)"
    assert found in FULL and repeats(f"{baselines}/rbm/strict") == 3 and repeats(f"{whole}/small_segments/strict") == 10
    overview, place = (whole, "small_utterance", "paper"), f"{whole}/small_utterance"
    found = (
        f"it gets {uar(f'{place}/paper')} ({repeats(f'{place}/paper')} repeats; {apart(*overview)} to the segments; "
    )
    found += (
        f"{over_speakers(*overview)} over speakers, {over_seeds(*overview)} over seeds) and {uar(f'{place}/strict')}"
    )
    assert f"{found} ({repeats(f'{place}/strict')} × 5 folds), less than eight and than five of the eleven" in FULL
    names = {row["variant"] for row in differences_of(baselines)}
    means = {protocol: exact(f"{place}/{protocol}", "uar") for protocol in ("paper", "strict")}
    above = [sum(exact(f"{baselines}/{n}/{protocol}", "uar") > means[protocol] for n in names) for protocol in means]
    assert above == [8, 5] and len(names) == 11
    for protocol, text in (("paper", "with shared speakers a UAR of"), ("strict", "with speakers apart")):
        overview, place = (ablations, "without_routing", protocol), f"{ablations}/without_routing/{protocol}"
        found = f"{text} {spread(place, 'uar')}, {apart(*overview)} ({over_speakers(*overview)} over speakers, "
        assert f"{found}{over_seeds(*overview)} over seeds)" in FULL and repeats(place) == 4
    rows = {(row["variant"], row["protocol"]): row["low"] <= 0 <= row["high"] for row in differences_of(ablations)}
    assert {key for key, holds_zero in rows.items() if not holds_zero} == {
        ("without_routing", "paper"),
        ("without_routing", "strict"),
        ("without_pre_attention", "strict"),
    }
    assert [sum(protocol == chosen for _, protocol in rows) for chosen in ("paper", "strict")] == [7, 7]
    assert {
        repeats(f"{ablations}/{variant}/{protocol}") for variant, protocol in rows if variant != "without_routing"
    } == {1}
    overview = ablations, "without_pre_attention", "strict"
    assert f"scores lower without it ({apart(*overview)}; {over_speakers(*overview)} over speakers)." in FULL
    best = f"{uar(f'{baselines}/autoencoder/paper')} and {uar(f'{baselines}/rbm/strict')}"
    means = f"{uar(f'{whole}/small_utterance/paper')} and {uar(f'{whole}/small_utterance/strict')}"
    without = f"{uar(f'{ablations}/without_routing/paper')} and {uar(f'{ablations}/without_routing/strict')}"
    assert f"which read the means (the best {best}), but {means} on the means itself, and {without} without" in README


def test_speechnets_baselines_on_its_segments():
    emodb, ravdess = (f"speechnet_baselines_segments_{corpus}" for corpus in ("emodb", "ravdess"))

    def beyond(experiment, protocol, side):
        """Those whose intervals, over speakers and, where there are repeats, over seeds, lie on one side of 0."""
        rows = [row for row in differences_of(experiment) if row["protocol"] == protocol]
        assert len(rows) == 11
        spans = {row["variant"]: [row, *filter(None, [row["over_repeats"]])] for row in rows}
        return {name for name, of in spans.items() if all(span[side] * (1 if side == "low" else -1) > 0 for span in of)}

    def both(*overview):
        return f"({apart(*overview)}; {over_speakers(*overview)} over speakers, {over_seeds(*overview)} over seeds)"

    assert f"with shared speakers the CNN gets {mean(f'{emodb}/cnn/paper')} {both(emodb, 'cnn', 'paper')}; five" in FULL
    assert beyond(emodb, "paper", "low") == {"cnn"} and len(beyond(emodb, "paper", "high")) == 5
    assert beyond(emodb, "strict", "low") == set() and len(beyond(emodb, "strict", "high")) == 3
    assert beyond(ravdess, "paper", "low") == {"cnn", "lstm", "transformer", "gru"}
    assert beyond(ravdess, "strict", "low") == {"cnn", "lstm", "unet", "rbm"}
    assert beyond(ravdess, "paper", "high") == beyond(ravdess, "strict", "high") == {"lsm"}
    named = {"unet": "U-Net", "rbm": "restricted Boltzmann machine"}
    for protocol, variants in (("paper", ("lstm", "transformer", "gru")), ("strict", ("unet", "lstm", "rbm"))):
        for variant in variants:
            name = named.get(variant, variant.upper() if variant != "transformer" else variant)
            found = f"{name} {uar(f'{ravdess}/{variant}/{protocol}')} ({apart(ravdess, variant, protocol)})"
            assert found in FULL, found
    assert f"with shared speakers the CNN gets {uar(f'{ravdess}/cnn/paper')} {both(ravdess, 'cnn', 'paper')}" in FULL
    assert f"the CNN {uar(f'{ravdess}/cnn/strict')} ({apart(ravdess, 'cnn', 'strict')}; " in FULL
    of_cnn = [uar(f"{ravdess}/cnn/{protocol}") for protocol in ("paper", "strict")]
    of_cnn += [mean(f"{emodb}/cnn/{protocol}") for protocol in ("paper", "strict")]
    assert "gets {} and {} there, and {} and {} on EmoDB".format(*of_cnn) in README
    assert {repeats(f"{emodb}/{variant}/paper") for variant in ("cnn", "unet", "gru")} == {10}
    assert [repeats(f"{ravdess}/{variant}/paper") for variant in ("cnn", "unet", "gru")] == [10, 3, 3]
    assert {repeats(f"{e}/{v}/strict") for e in (emodb, ravdess) for v in ("cnn", "unet", "gru")} == {1}
