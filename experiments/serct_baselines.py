"""SERCT's baselines on the same waveforms (thesis, Table 3), on EmoDB or any other corpus.

    python experiments/serct_baselines.py --data EMODB_FOLDER --repeats 3
    sertf report --overview experiments/results/serct_baselines_emodb --reference serct_emodb/narrow --score uar

MLP, LSTM, CNN, CNN-BiLSTM and support vector machine, each on 3 s at 16 kHz, and as `paper_size_...` on 144,000 samples at
each file's own rate, which run where they are named: networks on a GPU, the support vector machine, scikit-learn's, where
the memory holds all waveforms of the training part, 1.2 MB each. It is deterministic, so that its repeats are the same.
The recipe is SERCT's.
"""

from serct_tess import FRONT_ENDS, PAPER, REMARKS, SEED, SIZES, protocols_on, published, recipes_on

from sertf.experiment.command_line import main
from sertf.experiment.description import Experiment, Variant

NETWORKS = {
    "mlp": "waveform_mlp",
    "lstm": "waveform_lstm",
    "cnn": "waveform_cnn",
    "cnn_bilstm": "waveform_cnn_bilstm",
}
SIZED = ("cnn", "cnn_bilstm")
SVM = {"C": 1.0, "gamma": "auto"}
# Tables 3 and 2: WA, UA and weighted F1 of one run, hours on an A100.
PUBLISHED = {
    "tess": {
        "mlp": (0.3857, 0.3857, 0.3736, 0.12),
        "lstm": (0.1311, 0.1311, 0.0301, 0.65),
        "cnn": (0.8214, 0.8214, 0.8190, 0.60),
        "cnn_bilstm": (0.1429, 0.1429, 0.0357, 0.72),
        "svm": (0.1607, 0.1607, 0.0757, 0.17),
    },
    "esd_en": {
        "mlp": (0.2306, 0.2306, 0.2290, 0.12),
        "lstm": (0.1083, 0.1887, 0.0499, 0.65),
        "cnn": (0.4732, 0.4731, 0.4705, 0.60),
        "cnn_bilstm": (0.2003, 0.2000, 0.0669, 0.72),
        "svm": (0.1998, 0.2000, 0.0667, 0.17),
    },
}


def baselines(size, rows, recipes):
    """The baselines of a size with their published scores, by name."""

    def variant(model, name, recipes, options):
        return Variant(
            model,
            recipes,
            options,
            published(rows.get(name, ())),
            front_end_options=FRONT_ENDS[size],
            for_gpu=size == "paper_size",
        )

    networks = {
        name: variant(model, name, recipes, {"size": SIZES[size]} if name in SIZED else {})
        for name, model in NETWORKS.items()
    }
    return networks | {"svm": variant("svm", "svm", None, SVM)}


def baselines_on(corpus):
    """The experiment on a corpus."""
    rows, recipes = PUBLISHED.get(corpus, {}), recipes_on(corpus)
    large = {f"paper_size_{name}": variant for name, variant in baselines("paper_size", rows, recipes).items()}
    return Experiment(
        name=f"serct_baselines_{corpus}",
        paper=PAPER,
        corpus=corpus,
        front_end="waveform",
        variants=baselines("narrow", rows, recipes) | large,
        protocols=protocols_on(corpus),
        seed=SEED,
        remarks=REMARKS,
    )


EXPERIMENT = baselines_on("emodb")

if __name__ == "__main__":
    main(EXPERIMENT, on=baselines_on)
