"""What the modules of SERCT are worth (thesis, Table 5), on EmoDB or any other corpus.

    python experiments/serct_ablation.py --data EMODB_FOLDER --repeats 3
    sertf report --overview experiments/results/serct_ablation_emodb --reference serct_emodb/narrow --score uar

The narrow network without its transformer, without its CNN and with ordinary attention in place of deformable, at the
printed learning rate and at that of `narrow_rate_3e-4`; the whole is in serct_emodb.py, for either rate, so that the page
over all takes `--reference serct_emodb/narrow_rate_3e-4` too. What Table 5 prints without the transformer are the scores
of the CNN baseline, in whose log they are the best epoch's by the test part.
"""

from serct_tess import NARROW_RATE, PAPER, REMARKS, SEED, at_rate, protocols_on, recipes_on, serct

from sertf.experiment.command_line import main
from sertf.experiment.description import Experiment

OPTIONS = {
    "without_transformer": {"without": "transformer"},
    "without_cnn": {"without": "cnn"},
    "vanilla_attention": {"attention": "vanilla"},
}
# Table 5, one run.
PUBLISHED = {
    "tess": {
        "without_transformer": (0.8214, 0.8214, 0.8190),
        "without_cnn": (0.9500, 0.9500, 0.9503),
        "vanilla_attention": (0.9612, 0.9612, 0.9613),
    },
    "esd_en": {
        "without_transformer": (0.4732, 0.4731, 0.4705),
        "without_cnn": (0.3779, 0.3780, 0.3127),
        "vanilla_attention": (0.4099, 0.4099, 0.3576),
    },
}


def ablation_on(corpus):
    """The experiment on a corpus."""
    variants = {
        name: serct("narrow", PUBLISHED.get(corpus, {}).get(name, ()), recipes_on(corpus), **options)
        for name, options in OPTIONS.items()
    }
    return Experiment(
        name=f"serct_ablation_{corpus}",
        paper=PAPER,
        corpus=corpus,
        front_end="waveform",
        variants=variants | at_rate(variants, NARROW_RATE),
        protocols=protocols_on(corpus),
        seed=SEED,
        remarks=REMARKS,
    )


EXPERIMENT = ablation_on("emodb")

if __name__ == "__main__":
    main(EXPERIMENT, on=ablation_on)
