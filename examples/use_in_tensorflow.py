"""An exported model in your TensorFlow code. It imports TensorFlow alone and needs no sertf.

    python examples/use_in_tensorflow.py [SAVED_MODEL]

Loads the SavedModel, scores a batch of audio, puts it into a tf.data pipeline over WAV files, and trains a new head on
its embeddings for another task. So that no recordings are needed, the task is made up: voices whose pitch rises, as in a
question, against voices whose pitch falls. Half a minute.
"""

import argparse
import math
import tempfile
from pathlib import Path

import tensorflow as tf

DEFAULT = Path(__file__).parents[1] / "saved_models" / "reslstm_sa_h64_ravdess"
RATE = 16000
TASK = ("rising", "falling")


def voice(start_hz, semitones, seconds):
    """A buzz like a voice's whose pitch glides by `semitones` from `start_hz`: float32 (samples,)."""
    time = tf.range(round(seconds * RATE), dtype=tf.float32) / RATE
    phase = 2 * math.pi * tf.cumsum(start_hz * 2.0 ** (semitones / 12 * time / seconds)) / RATE
    buzz = tf.add_n([tf.sin(harmonic * phase) / harmonic for harmonic in range(1, 12)])
    return 0.1 * buzz * tf.sin(math.pi * time / seconds) + tf.random.normal(tf.shape(time), stddev=0.003)


def write_clips(folder, count):
    """`count` WAV files of each class, in a folder of its name."""
    for label in TASK:
        (folder / label).mkdir()
        for number in range(count):
            start, glide, seconds = (tf.random.uniform((), *span) for span in ((90, 250), (4, 9), (0.8, 1.6)))
            samples = voice(start, glide if label == "rising" else -glide, float(seconds))
            tf.io.write_file(str(folder / label / f"{number:03d}.wav"), tf.audio.encode_wav(samples[:, None], RATE))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=str(DEFAULT), metavar="SAVED_MODEL")
    options = parser.parse_args()
    if not (Path(options.model) / "saved_model.pb").is_file():
        parser.error(f"{options.model} is no SavedModel; give the folder of an exported one")
    tf.keras.utils.set_random_seed(0)

    print("1. Load")
    model = tf.saved_model.load(options.model)
    emotions = [name.decode() for name in model.emotions.numpy()]
    print(f"   {', '.join(emotions)}; trained at {int(model.sample_rate)} Hz")

    print("2. Score a batch of two clips, a second each")
    batch = tf.stack([voice(120.0, 6.0, 1.0), voice(220.0, -6.0, 1.0)])  # (batch, samples)
    outputs = model.signatures["waveform"](waveform=batch, sample_rate=RATE)
    for name, values in sorted(outputs.items()):
        print(f"   {name} {tuple(values.shape)}")
    for row in outputs["scores"]:
        best = int(tf.argmax(row))
        print(f"   {emotions[best]} {float(row[best]):.3f}")

    with tempfile.TemporaryDirectory() as folder:
        print("3. In a tf.data pipeline: WAV files to embeddings")
        write_clips(Path(folder), 48)
        embeddings = dataset(
            model, folder
        ).cache()  # (batch, units), (batch,): the model's own weights stay as they are
        shapes = [tuple(values.shape) for values, _ in embeddings]
        print(f"   {len(shapes)} batches, {', '.join(map(str, shapes))}")

        print("4. A new head on the embeddings")
        train, held_out = embeddings.skip(2), embeddings.take(2)
        head = tf.keras.Sequential([tf.keras.layers.BatchNormalization(), tf.keras.layers.Dense(len(TASK))])
        head.compile(
            tf.keras.optimizers.Adam(0.02),
            tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        history = head.fit(train, epochs=30, shuffle=False, verbose=0).history
        for epoch in (0, 9, 29):
            print(f"   epoch {epoch + 1}: loss {history['loss'][epoch]:.3f}, accuracy {history['accuracy'][epoch]:.3f}")
        _, accuracy = head.evaluate(held_out, verbose=0)
        print(f"   clips held out: accuracy {accuracy:.3f}")

        print("5. Recognizer and new head as one SavedModel")
        path = str(Path(folder) / "pitch_glide")
        tf.saved_model.save(joined(model, head), path)
        logits = tf.saved_model.load(path)(voice(150.0, 7.0, 1.0)[None], RATE)
        print(f"   a rising voice: {TASK[int(tf.argmax(logits[0]))]}")


def dataset(model, folder):
    """Batches of (embeddings, label) of the WAV files in a folder for each class, in random order."""

    def read(path):
        samples = tf.audio.decode_wav(tf.io.read_file(path), desired_channels=1).audio[:, 0]
        label = tf.argmax(tf.equal(tf.strings.split(path, "/")[-2], TASK))
        return {"samples": samples, "length": tf.size(samples)}, label

    def embed(clips, label):
        outputs = model.signatures["waveform_with_lengths"](
            waveform=clips["samples"], lengths=clips["length"], sample_rate=tf.constant(RATE)
        )
        return outputs["embedding"], label

    files = tf.data.Dataset.list_files(f"{folder}/*/*.wav", seed=0)
    return files.map(read).padded_batch(16).map(embed)


def joined(model, head):
    """A module from waveform and sample rate to the new head's logits."""
    module = tf.Module()
    module.model, module.head = model, head
    signature = [tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((), tf.int32)]
    module.__call__ = tf.function(
        lambda waveform, rate: head(model.waveform(waveform, rate)["embedding"]), input_signature=signature
    )
    return module


if __name__ == "__main__":
    main()
