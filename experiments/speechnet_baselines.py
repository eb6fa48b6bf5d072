"""SpeechNet beside its baselines on the same 107 values (Table 4, and of Table 5 on ESD), on EmoDB or any other corpus.

    python experiments/speechnet_baselines.py --data EMODB_FOLDER
    sertf report --overview experiments/results/speechnet_baselines_emodb --reference speechnet_emodb/small_utterance \\
        --beside speechnet_emodb/small_segments

10 repeats each under both protocols; SpeechNet itself is trained by speechnet_emodb.py. The paper prints no sizes and no
recipes of its baselines: the networks here have sizes of the field, trained by cross-entropy with Adam, batches of 32,
100 epochs. The support vector machine and the gradient boosting are scikit-learn's; the first is deterministic, so its
repeats are the same.
"""

from speechnet_emodb import FRONT_END, PAPER, protocols_on, recipes_on

from sertf.experiment.command_line import main
from sertf.experiment.description import Experiment, Variant
from sertf.training.recipe import Recipe

BASELINE_RECIPES = {
    protocol: Recipe(learning_rate=1e-3, batch_size=32, epochs=100, monitor=monitor)
    for protocol, monitor in (("paper", None), ("strict", "uar"))
}
# Table 4: PLR and PCLR. U-Net and RBM stand in Figure 6 only, without figures.
PUBLISHED = {
    "emodb": {
        "lstm": (0.4206, 0.3458),
        "gru": (0.1495, 0.1402),
        "cnn": (0.1963, 0.1869),
        "transformer": (0.5421, 0.5140),
        "autoencoder": (0.3364, 0.2150),
        "lsm": (0.1495, 0.1495),
        "tcn": (0.1215, 0.1028),
    },
    "savee": {
        "lstm": (0.2083, 0.1458),
        "gru": (0.1667, 0.1146),
        "cnn": (0.1458, 0.1250),
        "transformer": (0.2708, 0.2500),
        "autoencoder": (0.2188, 0.1667),
        "lsm": (0.1562, 0.1458),
        "tcn": (0.0625, 0.0625),
    },
    "casia": {
        "lstm": (0.0208, 0.0083),
        "gru": (0.0042, 0.0042),
        "cnn": (0.1917, 0.1792),
        "transformer": (0.5792, 0.5708),
        "autoencoder": (0.4083, 0.3250),
        "lsm": (0.0208, 0.0208),
        "tcn": (0.2333, 0.2208),
    },
    "iemocap": {
        "lstm": (0.5385, 0.3913),
        "gru": (0.1661, 0.1483),
        "cnn": (0.1884, 0.1605),
        "transformer": (0.3623, 0.3110),
        "autoencoder": (0.3032, 0.2230),
        "lsm": (0.2230, 0.1828),
        "tcn": (0.1706, 0.1472),
    },
    "esd": {
        "lstm": (0.7976, 0.7959),
        "gru": (0.5507, 0.5486),
        "cnn": (0.5749, 0.5709),
        "transformer": (0.8204, 0.8163),
        "autoencoder": (0.6140, 0.4933),
        "lsm": (0.6260, 0.6230),
        "tcn": (0.7364, 0.7321),
    },
}
# Table 5, the paper's own baselines; on the other corpora here it prints none.
PUBLISHED_WA = {"esd": {"lstm": 0.9361, "cnn": 0.8874, "transformer": 0.9380}}
NETWORKS = ("lstm", "gru", "cnn", "transformer", "unet", "rbm", "autoencoder", "lsm", "tcn")
CLASSICAL = ("svm", "gradient_boosting")


def baselines_on(corpus):
    """The experiment on a corpus."""
    variants = {}
    for name in NETWORKS:
        pair = PUBLISHED.get(corpus, {}).get(name)
        published = {key: (value, None, None) for key, value in zip(("PLR", "PCLR"), pair)} if pair else {}
        if name in PUBLISHED_WA.get(corpus, {}):
            published["wa"] = (PUBLISHED_WA[corpus][name], None, None)
        variants[name] = Variant(name, recipes=recipes_on(corpus, BASELINE_RECIPES), published=published)
    variants |= {name: Variant(name, recipes=None) for name in CLASSICAL}
    return Experiment(
        name=f"speechnet_baselines_{corpus}",
        paper=PAPER,
        corpus=corpus,
        front_end="fused_statistics",
        front_end_options=FRONT_END,
        variants=variants,
        protocols=protocols_on(corpus),
        seed=2025,
    )


EXPERIMENT = baselines_on("emodb")

if __name__ == "__main__":
    main(EXPERIMENT, on=baselines_on)
