"""A tiny experiment on the embedded corpus, which the tests of runner, script and export share."""

from sertf.experiment import Experiment, Setting, Variant
from sertf.recipes import Recipe

RECIPE = Recipe(learning_rate=0.01, epochs=2, batch_size=8)
EXPERIMENT = Experiment(
    name="toy",
    paper="none",
    corpus="embedded",
    front_end="mfcc_chroma",
    front_end_options={"sample_rate": 16000, "n_fft": 1024, "hop_length": 512, "n_mfcc": 8, "n_mels": 20},
    variants={"small": Variant("lstm_sa", options={"units": 4}, recipes={"strict": RECIPE, "paper": RECIPE})},
    protocols={
        "strict": Setting("speaker-independent-3"),
        "paper": Setting("speaker-independent-3", scaling="corpus", watch_test=True),
    },
    seed=5,
)
