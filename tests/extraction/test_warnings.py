import warnings

import pytest

from sertf.extraction.warnings import say_cuts, say_rates, say_skipped
from sertf.features import Waveform


def test_several_rates_are_said_where_each_clip_keeps_its_own():
    with pytest.warns(UserWarning) as said:
        say_rates(Waveform(), [24414, 96000, 24414])
    (warning,) = said
    assert str(warning.message) == (
        "The clips have several sample rates (2 of 24414 Hz, 1 of 96000 Hz), and Waveform uses each at its own rate. A "
        "second has more samples in some. Give Waveform a sample_rate to resample them to."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        say_rates(Waveform(), [24414, 24414])
        say_rates(Waveform(16000), [16000])


def test_cuts_are_said_of_front_ends_that_report_them():
    with pytest.warns(UserWarning, match="1 of 2 clips are longer than the 10 samples that Waveform reads"):
        say_cuts(Waveform(samples=10), [10, 11])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        say_cuts(Waveform(samples=10), [10, 9])


def test_what_is_left_out_is_named():
    with pytest.warns(UserWarning) as said:
        say_skipped({("a.wav", "silent"): None, ("b.wav", "cut off"): None})
    (warning,) = said
    assert (
        str(warning.message)
        == "2 clips, or their copies, cannot be used and are left out:\n  a.wav: silent\n  b.wav: cut off"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        say_skipped([])
