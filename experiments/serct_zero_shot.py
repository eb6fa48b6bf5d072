"""SERCT zero-shot: trained on one corpus, tested on others, with other speakers and languages (thesis, Table 4).

    python experiments/serct_zero_shot.py --train ravdess --data ravdess=RAVDESS_FOLDER --data emodb=EMODB_FOLDER
    python experiments/serct_zero_shot.py --train emodb --data CORPORA_FOLDER --variant narrow --repeats 3
    python experiments/serct_zero_shot.py --train esd_en --data esd=ESD_FOLDER
    sertf report --overview experiments/results/serct_zero_shot_ravdess_to_emodb --score uar

The emotions that all corpora have, by their canonical names; each corpus but the one of `--train` is tested in a fold of
its own, and reports set its scores beside chance; trained on `esd_en`, the English part of ESD, the Mandarin one is
tested. `paper` trains on nine tenths of the corpus, as in serct_tess.py; `strict` on all its speakers but those that
choose the epoch. Everything is brought to 16 kHz, where the thesis takes each corpus at its own rate: `paper_size` hears
9 s, not the 3 s at 48 kHz that its length is for.
"""

from dataclasses import replace

from serct_baselines import baselines
from serct_tess import NARROW_RATE, PAPER, RECIPES, REMARKS, SEED, at_rate, serct

from sertf.experiment.command_line import main
from sertf.experiment.description import Experiment, Setting

# Table 4 stands beside nothing of ours: what was trained on which English corpus it does not say.
ZERO_SHOT_REMARK = (
    "Table 4 prints for SERCT a WA of 0.3877, a UA of 0.3712 and a weighted F1 of 0.3892 on EMO-DB, and 0.5480, 0.5480 and "
    "0.5224 on ESD-zh, trained on English, and does not say on which corpus. Its code scores SERCT on EMO-DB from a "
    "checkpoint named mix-50, of seven classes, the LSTM, CNN and CNN-BiLSTM from one of TESS, the MLP and SVM from one of ESD."
)


def between(trained, tested):
    """The experiment that trains on one corpus and tests on others."""
    tested = tuple(sorted(tested))
    narrow = {
        "narrow": serct("narrow", (), RECIPES),
        "narrow_vanilla_attention": serct("narrow", (), RECIPES, attention="vanilla"),
    }
    large = serct("paper_size", (), RECIPES)
    return Experiment(
        name=f"serct_zero_shot_{trained}_to_{'_'.join(tested)}",
        paper=PAPER,
        corpus="+".join((trained, *tested)),
        front_end="waveform",
        variants={
            **narrow,
            **at_rate(narrow, NARROW_RATE),
            **baselines("narrow", {}, RECIPES),
            "paper_size": replace(large, front_end_options={**large.front_end_options, "sample_rate": 16000}),
        },
        protocols={"paper": Setting(f"zero-shot-90-10-{trained}"), "strict": Setting(f"zero-shot-{trained}")},
        seed=SEED,
        remarks=(*REMARKS, ZERO_SHOT_REMARK),
    )


EXPERIMENT = between("ravdess", ("emodb",))

if __name__ == "__main__":
    main(EXPERIMENT, between=between)
