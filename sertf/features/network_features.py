"""A trained network's values of a clip as features, for a linear model that reads them."""

import math
from typing import Any

import keras

from sertf.errors import SertfError
from sertf.features.front_end import FrontEnd


class NetworkFeatures(FrontEnd):
    """One row of values a clip, from another front end and a trained network.

    An export builds it from a run directory. No name makes one, as its weights are those of that run.

    Args:
        front_end: computes the features that the network reads.
        network: of `sertf.models.clip_features.clip_features`.
        beside: computes features of one shape, whose values follow those of the network; None adds none.

    Raises:
        SertfError: `beside` wants another sample rate, or reads another span of a clip.
    """

    def __init__(
        self, front_end: FrontEnd, network: "keras.Model", *, beside: FrontEnd | None = None, name: str | None = None
    ):
        super().__init__(front_end.sample_rate, name=name)
        parts = [front_end] if beside is None else [front_end, beside]
        if len({(part.sample_rate, part.span) for part in parts}) > 1:
            raise SertfError("Front ends that are read together must have one sample rate and one span of a clip.")
        self.front_end, self.network, self.beside = front_end, network, beside
        added = 0 if beside is None else math.prod(part or 0 for part in beside.feature_shape)
        self.feature_shape = (1, network.output_shape[-1] + added)
        self.span, self.minimum_samples = front_end.span, max(part.minimum_samples for part in parts)
        self.reports_cuts, self.reads_middle = front_end.reports_cuts, front_end.reads_middle
        self.pretrained = next((part.pretrained for part in parts if part.pretrained), None)
        self.fmax = getattr(front_end, "fmax", None)
        self.duration_seconds = getattr(front_end, "duration_seconds", None)

    def build(self, waveform_shape: Any) -> None:
        for part in (self.front_end, self.beside):
            if part is not None and not part.built:
                part.build(waveform_shape)
        super().build(waveform_shape)

    def features(self, waveform: Any, lengths: Any) -> Any:
        """Values of each clip, (batch, 1, values)."""
        values = self.network(self.front_end(waveform, lengths), training=False)
        if self.beside is None:
            return values
        beside = keras.ops.reshape(self.beside(waveform, lengths), (-1, 1, self.feature_shape[1] - values.shape[2]))
        return keras.ops.concatenate([values, beside], axis=2)

    def get_config(self) -> dict[str, Any]:
        """Refuse: a run directory holds the network."""
        raise SertfError("NetworkFeatures has no configuration; export the run that trained its network.")
