"""Own data in a TensorFlow data set: the folder of a version that TFDS prepared, as `crema_d/1.0.0`.

The feature `Audio` gives the sound, `emotion` or `label` the label. Names of splits become the column `split`. The
samples are written as WAV below the cache folder.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from sertf.corpora.card import CorpusError
from sertf.corpora.records import GENDERS, Records, columns_of, kept, needs

HEADER = "features.json"


def read(folder: Path) -> Records:
    """Read a prepared data set.

    Raises:
        CorpusError: tensorflow-datasets is not installed, the folder is damaged, a feature is missing, or the sample rate is
            not stated.
    """
    from sertf.parallel.environment import import_tensorflow_quietly

    import_tensorflow_quietly()
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise needs("tfds", folder, "a TensorFlow data set") from error
    try:
        builder = tfds.builder_from_directory(str(folder))
    except (OSError, ValueError, KeyError) as error:
        raise CorpusError(f"{folder}: not readable as a TensorFlow data set ({error}); prepare it again.") from error
    features, name = builder.info.features, builder.info.name
    audio, label, speaker, gender = columns_of(features, folder)
    rate = features[audio].sample_rate
    if not rate:
        raise CorpusError(f"{folder}: does not state the sample rate of {audio}; prepare it with one.")
    columns = ["path", "emotion", "split", *(["speaker"] if speaker else [])]
    rows: list[tuple[str, dict[Any, Any]]] = []
    for split in builder.info.splits:
        for number, row in enumerate(tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False))):
            record = {
                "path": str(kept(_as_wav(row[audio], rate), ".wav", name)),
                "utterance": f"{split}-{number}",
                "emotion": _text(row[label], features[label]),
                "split": split,
            }
            if speaker:
                record["speaker"] = _text(row[speaker], features[speaker])
            if gender:
                record["gender"] = GENDERS.get(_text(row[gender], features[gender]).lower(), "")
            rows.append((f"{split} row {number}", record))
    return Records(folder, name, folder, columns, False, rows)


def _as_wav(samples, rate):
    """The bytes of a WAV file. Integers are 16-bit samples, wider ones where they do not fit."""
    import soundfile

    kind = "FLOAT"
    if np.issubdtype(samples.dtype, np.integer):
        wide = np.abs(samples).max(initial=0) > 2**15
        samples, kind = samples.astype(np.int32 if wide else np.int16), "PCM_32" if wide else "PCM_16"
    file = io.BytesIO()
    soundfile.write(file, samples, int(rate), format="WAV", subtype=kind)
    return file.getvalue()


def _text(value, feature):
    names = getattr(feature, "names", None)
    if names:
        return names[int(value)]
    return value.decode() if isinstance(value, bytes) else str(value)
