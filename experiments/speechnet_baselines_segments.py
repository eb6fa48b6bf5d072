"""SpeechNet beside its baselines on the 64 segments that it reads, on EmoDB or any other corpus.

    python experiments/speechnet_baselines_segments.py --data EMODB_FOLDER
    sertf report --overview experiments/results/speechnet_baselines_segments_emodb \\
        --reference speechnet_emodb/small_segments

speechnet_baselines.py trains them on the means over the utterance; here networks that know steps read 64 of 107 values,
the others all 6848 at once. Sizes and recipes are the same, so that a difference is the reading's.
"""

from dataclasses import replace

from speechnet_baselines import baselines_on
from speechnet_emodb import FRONT_END, SEGMENTS

from sertf.experiment.command_line import main


def segments_on(corpus):
    """The experiment on a corpus."""
    return replace(
        baselines_on(corpus),
        name=f"speechnet_baselines_segments_{corpus}",
        front_end_options={**FRONT_END, "segments": SEGMENTS["segments"]},
    )


EXPERIMENT = segments_on("emodb")

if __name__ == "__main__":
    main(EXPERIMENT, on=segments_on)
