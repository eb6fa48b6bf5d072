"""What each module of SpeechNet is worth: the seven ablations of Table 2, on EmoDB or any other corpus.

    python experiments/speechnet_ablation.py --data EMODB_FOLDER
    sertf report --overview experiments/results/speechnet_ablation_emodb --reference speechnet_emodb/small_segments

10 repeats of the small network (64 refinement filters) on 64 segments, without one module each, under both protocols.
The whole network is `small_segments` of speechnet_emodb.py.
"""

from speechnet_emodb import FRONT_END, PAPER, SEGMENTS, SMALL, protocols_on, recipes_on

from sertf.experiment.command_line import main
from sertf.experiment.description import Experiment, Variant

# Table 2: accuracy, precision, recall and F1 on EmoDB; a single figure each, the number of repeats is not stated.
PUBLISHED = {
    "without_encoding": (0.8037, 0.8137, 0.7757, 0.7943),
    "without_recall": (0.8318, 0.8462, 0.8224, 0.8341),
    "without_pre_attention": (0.8411, 0.8396, 0.8318, 0.8396),
    "without_attention": (0.8505, 0.8571, 0.8411, 0.8491),
    "without_refinement": (0.8692, 0.8692, 0.8692, 0.8692),
    "without_routing": (0.8692, 0.8679, 0.8598, 0.8638),
    "without_modified_routing": (0.8598, 0.8667, 0.8505, 0.8585),
}
KEYS = ("wa", "thresholded_precision", "thresholded_recall", "thresholded_f1")


def ablation_on(corpus):
    """The experiment on a corpus."""
    return Experiment(
        name=f"speechnet_ablation_{corpus}",
        paper=PAPER,
        corpus=corpus,
        front_end="fused_statistics",
        front_end_options=FRONT_END,
        variants={
            name: Variant(
                "speechnet",
                options={**SMALL, "without": name.removeprefix("without_")},
                recipes=recipes_on(corpus),
                front_end_options={"segments": SEGMENTS["segments"]},
                published={key: (value, None, None) for key, value in zip(KEYS, row)} if corpus == "emodb" else {},
            )
            for name, row in PUBLISHED.items()
        },
        protocols=protocols_on(corpus),
        seed=2025,
    )


EXPERIMENT = ablation_on("emodb")

if __name__ == "__main__":
    main(EXPERIMENT, on=ablation_on)
