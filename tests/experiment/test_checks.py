from dataclasses import replace

import pytest

from sertf.errors import SertfError
from sertf.experiment.cells import resolve
from sertf.experiment.checks import check_lengths
from sertf.experiment.description import Setting, Teacher, TrainedNetwork
from sertf.training.spectrogram_augmentation import SpectrogramAugmentation
from tests.toy import EXPERIMENT, RECIPE, changed, run

TAUGHT = replace(RECIPE, distillation=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repeats": 0}, "repeats must be 1 or more"),
        ({"workers": 0}, "workers must be 1 or more, but is 0"),
        ({"scheduler": "slurm"}, "Unknown scheduler 'slurm'; known are processes, dask, ray"),
        ({"variants": ["big"]}, "Unknown variant 'big'"),
        ({"protocol_names": ["loose"]}, "Unknown protocol 'loose'"),
        ({"experiment": replace(EXPERIMENT, front_end="mfc")}, "Unknown front end 'mfc'"),
        ({"experiment": changed(model="lstm_sb")}, "Unknown model 'lstm_sb'; did you mean lstm_sa"),
        ({"experiment": changed(options={"unit": 4})}, "Unknown option of lstm_sa 'unit'; did you mean units"),
        ({"experiment": changed(options={"units": "4"})}, "LSTM-SA: units must be a whole number above 0, got '4'"),
        (
            {"experiment": changed(model="svm", options={})},
            "small fits svm as a whole, without a recipe; give recipes=None",
        ),
        (
            {"experiment": changed(model="svm", options={"C": -1.0}, recipes=None)},
            "Options of svm: The 'C' parameter of SVC must be",
        ),
        (
            {"experiment": changed(front_end_options={"n_mel": 3})},
            "Unknown option of MfccChroma 'n_mel'; did you mean n_mels",
        ),
        ({"experiment": changed(recipes=None)}, "small trains lstm_sa, a network, but has no recipes; give one by"),
        (
            {"experiment": replace(EXPERIMENT, protocols={"strict": Setting("random-80-20")})},
            r"recipe of small keeps .* best validation uar, .* strict \(random-80-20\) has no validation part",
        ),
        ({"experiment": replace(EXPERIMENT, protocols={"strict": Setting("reslstm-sa")})}, "Protocol reslstm-sa is"),
        (
            {"experiment": replace(EXPERIMENT, protocols={"strict": Setting("speaker-independent-5")})},
            "5 speaker-independent folds need at least 5 speakers",
        ),
        (
            {"experiment": changed(recipes={"strict": replace(RECIPE, batch_size=2)})},
            "lstm_sa_h4 has a batch norm and needs a batch_size of 3 or more, but the recipe has 2. .* Use a larger",
        ),
        (
            {"experiment": changed(recipes={"strict": TAUGHT})},
            "small has distillation but no teacher; give both or none",
        ),
        (
            {"experiment": changed(teacher=Teacher("ridge", "functionals"))},
            "small has a teacher but no distillation; give both or none",
        ),
        (
            {"experiment": changed(teacher=Teacher("svm", "functionals"), recipes={"strict": TAUGHT})},
            "Unknown teacher of small 'svm'; did you mean linear_svm",
        ),
        (
            {"experiment": changed(teacher=Teacher("ridge", "mfcc_chroma"), recipes={"strict": TAUGHT})},
            "The teacher of small needs features of one shape, but those of mfcc_chroma are as long as the clips",
        ),
        (
            {
                "experiment": changed(
                    model="ridge",
                    options={},
                    recipes=None,
                    network=TrainedNetwork("lstm_sa", {}, RECIPE, with_teacher=True),
                )
            },
            "small reads what its network's teacher reads, but has no teacher; give one",
        ),
        ({"experiment": changed(recipes={"paper": RECIPE})}, "Unknown protocol with a recipe for small 'strict'"),
        (
            {"experiment": replace(EXPERIMENT, protocols={"strict": Setting("speaker-apart")})},
            "Unknown protocol 'speaker-apart'",
        ),
    ],
)
def test_mistakes_are_said_before_any_clip_is_read(corpus, tmp_path, options, message):
    with pytest.raises(SertfError, match=message):
        run(corpus.assign(path="nowhere.wav"), tmp_path / "cache", tmp_path, **options)
    assert not (tmp_path / "cache").exists()


def test_a_recipe_crops_to_the_frames_of_the_front_end(corpus, tmp_path):
    options = {"sample_rate": 16000, "offset_seconds": 0.0, "duration_seconds": 0.5, "hop_length": 512, "n_mels": 16}
    recipe = replace(RECIPE, spectrogram_augmentation=SpectrogramAugmentation(192))
    experiment = replace(changed(recipes={"strict": recipe}), front_end="log_mel", front_end_options=options)
    with pytest.raises(SertfError, match="small trains on 192 frames, but log_mel gives 16; use a recipe without"):
        run(corpus, tmp_path / "c", tmp_path, experiment=experiment)
    fits = replace(RECIPE, spectrogram_augmentation=SpectrogramAugmentation(16))
    experiment = replace(experiment, variants=changed(recipes={"strict": fits}).variants)
    check_lengths(resolve(experiment, protocols=["strict"]))
    check_lengths(resolve(changed(recipes={"strict": recipe}), protocols=["strict"]))  # features as long as the clips


def test_a_speaker_who_lacks_an_emotion_is_a_warning_and_no_error(corpus, tmp_path):
    table = corpus.assign(path="nowhere.wav")
    table = table[(table["speaker"] != table["speaker"].iloc[0]) | (table["emotion"] != "anger")]
    experiment = replace(EXPERIMENT, protocols={"strict": Setting("speaker-independent-4")})
    with (
        pytest.warns(
            UserWarning, match="Under strict some parts lack an emotion.*\n.* test part has no utter.* of anger"
        ),
        pytest.raises(SertfError, match="no such file"),
    ):
        run(table, tmp_path / "cache", tmp_path, experiment=experiment)
