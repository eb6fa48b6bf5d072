"""The tiny experiment that the campaign trains and kills: a network and a linear model on synthesised clips."""

from sertf.experiment import main
from sertf.experiment.description import Experiment, Setting, Variant
from sertf.training.recipe import Recipe

EXPERIMENT = Experiment(
    name="tiny",
    paper="none",
    corpus="table",
    front_end="mfcc_chroma",
    front_end_options={"sample_rate": 16000, "n_fft": 1024, "hop_length": 512, "n_mfcc": 8, "n_mels": 20},
    variants={
        "network": Variant("lstm_sa", options={"units": 4}, recipes={"strict": Recipe(epochs=3, batch_size=8)}),
    },
    protocols={"strict": Setting("speaker-independent-2")},
    seed=5,
)

if __name__ == "__main__":
    main(EXPERIMENT)
