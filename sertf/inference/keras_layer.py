"""A Keras layer around an exported model: waveforms in, scores out. TensorFlow backend only."""

from pathlib import Path
from typing import Any

import keras

from sertf.audio.files import check_rate
from sertf.errors import SertfError
from sertf.inference import bundled
from sertf.inference.card import read_card


@keras.saving.register_keras_serializable("sertf")
class RecognizerLayer(keras.layers.Layer):
    """An exported model as a layer of a Keras model.

    Its weights are not trained, but gradients pass through to the waveform. `sertf.pretrained` gives weights to train. A
    saved Keras model names the exported one, and does not hold it: the folder must be there when it is loaded.

    Args:
        model: name of a bundled model, or the folder of an exported one; None takes the default.
        sample_rate: Hz of the waveforms; None takes the model's own rate. Others are resampled.
        output: "scores", "embedding", or "attention" where the model has them.

    Call arguments:
        waveform: (batch, samples) float32, mono, full scale at 1.
        lengths: (batch,) int32, the samples of each row without padding at the end; None if all of them are.

    Returns:
        (batch, emotions) of scores, (batch, units) of embeddings or (batch, frames) of attention.

    Raises:
        ModelError: as `sertf.load`.
        SertfError: another backend, an output that the model lacks, or a rate out of range.

    Attributes:
        emotions: names of the scores, in their order.
    """

    def __init__(
        self,
        model: Path | str | None = None,
        *,
        sample_rate: int | None = None,
        output: str = "scores",
        name: str | None = None,
    ):
        super().__init__(name=name, dtype="float32", trainable=False)
        if keras.backend.backend() != "tensorflow":
            raise SertfError(
                f"RecognizerLayer runs on TensorFlow, but Keras runs on {keras.backend.backend()}; set "
                "KERAS_BACKEND=tensorflow."
            )
        import tensorflow as tf

        folder = bundled.folder_of(model)
        card = read_card(folder)
        if output not in card["outputs"]:
            raise SertfError(f"{card['name']} has no output {output!r}; it has {', '.join(card['outputs'])}.")
        self.model = None if model is None else str(model)
        self.sample_rate = card["sample_rate"] if sample_rate is None else sample_rate
        check_rate(self.sample_rate, "sample_rate", card["sample_rates"])
        self.output_name = output
        self.emotions = list(card["emotions"])
        self._exported = tf.saved_model.load(str(folder))  # it holds the variables of its signatures
        self._size = self._exported.signatures["waveform"].structured_outputs[output].shape[-1]

    def call(self, waveform, lengths=None):
        given = {"waveform": waveform, "sample_rate": self.sample_rate}
        if lengths is None:
            return self._exported.signatures["waveform"](**given)[self.output_name]
        return self._exported.signatures["waveform_with_lengths"](lengths=lengths, **given)[self.output_name]

    def compute_output_shape(self, waveform_shape: tuple, lengths_shape: tuple | None = None) -> tuple:
        return (waveform_shape[0], self._size)

    def get_config(self) -> dict[str, Any]:
        return {"model": self.model, "sample_rate": self.sample_rate, "output": self.output_name, "name": self.name}
