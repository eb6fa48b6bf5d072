"""The raw waveform itself, cut or padded to one length: the input of SERCT (thesis, Groningen 2024)."""

import keras

from sertf.errors import check_whole
from sertf.features.front_end import FrontEnd
from sertf.layers import spectral


@keras.saving.register_keras_serializable("sertf")
class Waveform(FrontEnd):
    """The samples of a clip from its start on, a fixed number of them.

    SERCT (section 4.2): 144,000 samples at the file's own rate. Longer clips lose their end, shorter ones are padded with
    zeros at the end. The padding belongs to the cut, so that every utterance has all samples.

    Args:
        sample_rate: Hz of the waveforms; clips of other rates are resampled to it. None uses every file at its own rate,
            as the thesis does. A second then has more samples in one corpus than in another. Such a model knows no rate
            for other audio and cannot be exported.
        samples: number of samples.

    Call arguments:
        waveform: (batch, samples) float32; rows shorter than the longest are padded at the end.
        lengths: (batch,) integers, the true samples of each row; None if all of them are.

    Returns:
        (batch, samples, 1) float32.

    Raises:
        SertfError: for a parameter out of range or a waveform of no samples.
    """

    version = 1
    # The extraction warns of cut clips: here the length is a limit, not a choice of a paper.
    reports_cuts = True

    def __init__(self, sample_rate: int | None = None, *, samples: int = 144_000, name: str | None = None):
        super().__init__(sample_rate, name=name)
        check_whole("Waveform", samples=samples)
        self.samples = samples
        self.feature_names = ["amplitude"]
        self.feature_shape = (samples, 1)

    @property
    def span(self):
        """First sample of the cut and the one behind its last."""
        return 0, self.samples

    @property
    def dimension_groups(self) -> list[tuple[str, int]]:
        return [("amplitude", 1)]

    @property
    def frame_step_seconds(self) -> float | None:
        return 1 / self.sample_rate if self.sample_rate else None

    def features(self, waveform, lengths):
        cut = spectral.pad_to(waveform, self.samples)[:, : self.samples]
        return keras.ops.reshape(cut, (-1, self.samples, 1))
