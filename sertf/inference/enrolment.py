"""Estimate what a model of known speakers knows of them, from clips of theirs without labels."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sertf.inference.card import Card
from sertf.inference.speakers import SpeakerError, SpeakerStatistics, pooled
from sertf.inference.verdicts import without_speech
from sertf.inference.windows import Cutting, sources_of


def enrolled(model: Any, card: Card, clips: Mapping[str, Any], cutting: Cutting) -> dict[str, SpeakerStatistics]:
    """Statistics of speakers by name. A model that trains itself on their clips does so on all of them together.

    Args:
        model: SavedModel with the signatures of known speakers.
        card: its card.
        clips: recordings of each speaker by name.
        cutting: how the recordings are heard.

    Raises:
        AudioError: a recording that cannot be used.
        SpeakerError: clips of a speaker that are silent, or give a single vector of features.
    """
    trains = card["known_speakers"].get("self_training", False)
    axes = _axes(model) if trains else None
    found: dict[str, SpeakerStatistics] = {}
    features: list[np.ndarray] = []
    for name, of_speaker in clips.items():
        try:
            parts, spoken = [], 0
            for batch, rate in _heard(of_speaker, cutting):
                parts.append(_outputs(model, "clip_features" if trains else "enroll", batch, rate))
                spoken += len(batch)
            if not parts:
                raise SpeakerError("The speaker's clips are silent; give clips with speech.")
            if trains:
                features.append(np.concatenate([part["features"] for part in parts]))
                parts = [_statistics_of(features[-1], axes)]
            mean, std, count = pooled((part["mean"], part["std"], int(part["count"])) for part in parts)
        except SpeakerError as error:
            raise SpeakerError(f"{name} cannot be enrolled. {error}" if name else str(error)) from error
        found[name] = SpeakerStatistics(mean, std, count, spoken, card["known_speakers"]["model"], card["name"])
    if not features:
        return found
    counts = [len(own) for own in features]
    each = {key: np.repeat([getattr(one, key) for one in found.values()], counts, axis=0) for key in ("mean", "std")}
    gained = model.signatures["self_train"](features=np.concatenate(features), mean=each["mean"], std=each["std"])
    gained = {key: values.numpy() for key, values in gained.items()}
    return {name: replace(one, **gained) for name, one in found.items()}


def _axes(model):
    """Axes of features (clips, frames, dims) that a speaker's statistics are over: clips alone where cells are scaled."""
    given = model.signatures["self_train"].structured_input_signature[1]
    return (0,) if given["mean"].shape.rank == given["features"].shape.rank else (0, 1)


def _heard(clips, cutting):
    """Batches (windows, samples) of one length that hold speech, and their sample rate."""
    if isinstance(clips, Iterator):  # memory holds one of its recordings at a time
        sources = itertools.chain.from_iterable(map(sources_of, clips))
    else:
        sources = iter(sources_of(clips))
    for _, source in sources:
        for windows in cutting.batches(source):
            heard = [samples for _, samples, _ in windows if not without_speech(samples, windows[0][2])]
            if heard:
                yield np.stack(heard), windows[0][2]


def _outputs(model, signature, batch, rate):
    """Outputs of a signature for a batch (windows, samples) of one length."""
    lengths = np.full(len(batch), batch.shape[1], np.int32)
    found = model.signatures[signature](waveform=batch, lengths=lengths, sample_rate=rate)
    return {key: values.numpy() for key, values in found.items()}


def _statistics_of(features, axes):
    """Mean, deviation and count of features (clips, frames, dims) over some axes, as the signature `enroll` gives them."""
    mean, std = (of(features, axis=axes, dtype=np.float64) for of in (np.mean, np.std))
    return {"mean": mean, "std": std, "count": features.size // mean.size}
