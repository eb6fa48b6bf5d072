"""How many transformer layers SERCT needs (thesis, Figure 4), on EmoDB or any other corpus.

    python experiments/serct_depth.py --data EMODB_FOLDER --repeats 3
    sertf report --overview experiments/results/serct_depth_emodb --score uar --by layers \\
        --reference serct_emodb/narrow_rate_3e-4

The narrow network with 1 to 6 layers, at the learning rate of the reference, which has 4. The thesis prints no figures:
on TESS and ESD its curves rise to 3 or 4 layers and then stay or fall.
"""

from serct_tess import NARROW_RATE, PAPER, REMARKS, SEED, protocols_on, recipes_on, serct, with_rate

from sertf.experiment.command_line import main
from sertf.experiment.description import Experiment


def depth_on(corpus):
    """The experiment on a corpus."""
    return Experiment(
        name=f"serct_depth_{corpus}",
        paper=PAPER,
        corpus=corpus,
        front_end="waveform",
        variants={
            f"layers_{n}": with_rate(serct("narrow", (), recipes_on(corpus), layers=n), NARROW_RATE)
            for n in range(1, 7)
        },
        protocols=protocols_on(corpus),
        seed=SEED,
        remarks=REMARKS,
    )


EXPERIMENT = depth_on("emodb")

if __name__ == "__main__":
    main(EXPERIMENT, on=depth_on)
