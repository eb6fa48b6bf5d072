"""A trained network's values of a clip as features, for a linear model that reads them."""

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
    """

    def __init__(self, front_end: FrontEnd, network: "keras.Model", *, name: str | None = None):
        super().__init__(front_end.sample_rate, name=name)
        self.front_end = front_end
        self.network = network
        self.feature_shape = (1, network.output_shape[-1])
        self.span, self.minimum_samples = front_end.span, front_end.minimum_samples
        self.reports_cuts, self.reads_middle = front_end.reports_cuts, front_end.reads_middle
        self.pretrained = front_end.pretrained
        self.fmax = getattr(front_end, "fmax", None)
        self.duration_seconds = getattr(front_end, "duration_seconds", None)

    def build(self, waveform_shape: Any) -> None:
        if not self.front_end.built:
            self.front_end.build(waveform_shape)
        super().build(waveform_shape)

    def features(self, waveform: Any, lengths: Any) -> Any:
        """Values of each clip, (batch, 1, values)."""
        return self.network(self.front_end(waveform, lengths), training=False)

    def get_config(self) -> dict[str, Any]:
        """Refuse: a run directory holds the network."""
        raise SertfError("NetworkFeatures has no configuration; export the run that trained its network.")
