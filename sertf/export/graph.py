"""The graph of an exported model: resampling, front end, scaling and network in one `tf.Module` of TensorFlow ops.

TensorFlow backend only. `sertf.export.saved_model` builds and saves it. Loading the SavedModel needs TensorFlow alone.
"""

import math

import keras
import tensorflow as tf

from sertf.audio.files import LOUDEST, SAMPLE_RATES, SILENCE_SPAN
from sertf.audio.steadiness import FRAME_SECONDS, LEAST_SECONDS, SMALLEST_POWER, STEADY_DB
from sertf.evaluation.calibration import FLOOR
from sertf.export.self_training import SelfTraining
from sertf.layers import spectral
from sertf.layers.resample import resample, resampled_lengths
from sertf.training.scaling import CONSTANT

# Layers whose outputs join the scores, and which output if a layer has several.
_INSIDE = {"embedding": None, "attention": 1}
_LOUDER_THAN_ALL = 1e3  # dB


class ServingModule(tf.Module):
    """A trained recognizer from waveform or features to scores.

    `tf.saved_model.load` restores the functions `waveform`, `waveform_with_lengths` and `features`, and these attributes:
    `emotions`, a string variable in the order of the scores; `sample_rate`, an int32 variable, Hz of the training audio;
    `labels`, the emotions as an asset file; `weights`, those of front end and network.

    A network that was trained on features scaled by speaker has two functions more. `enroll` gives the statistics of a
    speaker from clips of theirs. `waveform_of_speaker` takes them beside the waveform. The other functions scale by
    `mean` and `std`, which are those of an unknown speaker then. `of_speaker` may be that network beside one that knows
    no speakers and serves the other functions.

    Of a network that trains itself on these clips `enroll` gives `kernel` and `bias` too, which `waveform_of_speaker` takes.
    For clips of several speakers `clip_features` gives the features of each clip, and `self_train` the kernel and bias of
    all of them together.

    Args:
        network: trained Keras model, features (batch, *front_end.feature_shape) in, scores (batch, emotions) out.
        front_end: layer of `sertf.features`.
        mean: subtracted from the features, broadcast over frames.
        std: divides the difference.
        emotions: names of the scores.
        labels: path of a text file with these names, one a line.
        minimum_seconds: shorter audio raises an error.
        temperature: of the scores, see `for_inference`.
        enrolled: what a speaker's statistics are of, a key of `sertf.training.scaling.SCALED_EACH`; None for a network
            that knows no speakers.
        of_speaker: another network and its temperature, for speech of a speaker with statistics; None takes the first.
        self_training: whether the network of known speakers trains itself on their clips.
    """

    def __init__(
        self,
        network,
        front_end,
        *,
        mean,
        std,
        emotions,
        labels,
        minimum_seconds,
        temperature=None,
        enrolled=None,
        of_speaker=None,
        self_training=False,
    ):
        super().__init__(name="sertf")
        network = for_inference(network, temperature=temperature)
        network_of_speaker = for_inference(of_speaker[0], temperature=of_speaker[1]) if of_speaker else network
        networks = [network, network_of_speaker] if of_speaker else [network]
        if not front_end.built:
            front_end.build((None, None))
        target_rate, shape = front_end.sample_rate, front_end.feature_shape
        sequence = shape[0] is None
        minimum_seconds = max(minimum_seconds, front_end.minimum_samples / target_rate)
        self.emotions = tf.Variable(list(emotions), trainable=False, name="emotions")
        self.sample_rate = tf.Variable(target_rate, dtype=tf.int32, trainable=False, name="sample_rate")
        self.labels = tf.saved_model.Asset(str(labels))
        # Weights alone: the seeds of dropout, which are variables too, are drawn anew for each copy of a network.
        self.weights = [variable.value for part in (front_end, *networks) for variable in part.weights]

        def score(features, own, mean=mean, std=std, network=network):
            # Padding becomes zero again after scaling: networks mask zeros.
            return network(spectral.keep_own((features - mean) / std, own), training=False)

        samples = tf.TensorSpec((None, None), tf.float32, name="waveform")
        lengths = tf.TensorSpec((None,), tf.int32, name="lengths")
        rate = tf.TensorSpec((), tf.int32, name="sample_rate")

        # One function, so that the front end is traced once.
        @tf.function(input_signature=[samples, lengths, rate])
        def extracted(waveform, lengths, sample_rate):
            """Features before scaling, and which of their frames are no padding; None if all are."""
            with tf.control_dependencies(_faults_of_waveform(waveform, lengths, sample_rate, minimum_seconds)):
                waveform, lengths, sample_rate = map(tf.identity, (waveform, lengths, sample_rate))
            waveform = spectral.keep_own(waveform, spectral.own_positions(lengths, tf.shape(waveform)[1]))
            waveform = resample(waveform, sample_rate, target_rate)
            lengths = resampled_lengths(lengths, sample_rate, target_rate)
            features = front_end(waveform, lengths)  # (batch, frames, dims)
            if front_end.trims:
                return features, tf.reduce_any(features != 0, axis=2)
            if not sequence:
                return features, None
            return features, spectral.own_positions(front_end.frames(lengths), tf.shape(features)[1])

        @tf.function(input_signature=[samples, lengths, rate])
        def waveform_with_lengths(waveform, lengths, sample_rate):
            """As `waveform`, for rows padded at the end that hold `lengths` (batch,) samples."""
            outputs = score(*extracted(waveform, lengths, sample_rate))
            return undecided(outputs, holds_no_speech(waveform, lengths, sample_rate))

        @tf.function(input_signature=[samples, rate])
        def waveform(waveform, sample_rate):
            """Scores of mono audio, (batch, samples) at `sample_rate` Hz, full scale at 1; equal ones without speech."""
            batch, count = tf.unstack(tf.shape(waveform))
            return waveform_with_lengths(waveform, tf.fill([batch], count), sample_rate)

        @tf.function(input_signature=[samples])
        def at_own_rate(samples):
            """As `waveform`, at the rate of the training audio. One input serves TensorFlow Serving and Keras's TFSMLayer."""
            return waveform(samples, target_rate)

        @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.float32, name="features")])
        def features(features):
            """Scores of the front end's features before scaling; rows of zeros are padding."""
            axes = list(range(2, len(shape) + 1))
            own = tf.reduce_any(tf.not_equal(features, 0), axis=axes) if sequence else None  # (batch, frames)
            with tf.control_dependencies(_faults_of_features(features, own)):
                features = tf.identity(features)
            return score(features, own)

        self.waveform, self.waveform_with_lengths, self.features = waveform, waveform_with_lengths, features
        self.serving_default = at_own_rate
        self._names = ["serving_default", "waveform", "waveform_with_lengths", "features"]
        if enrolled is None:
            return
        enrolled_shape = shape if enrolled == "cell" else shape[1:]
        statistics = [tf.TensorSpec(enrolled_shape, tf.float32, name=name) for name in ("mean", "std")]
        trained = SelfTraining(network_of_speaker) if self_training else None

        @tf.function(input_signature=[samples, lengths, rate])
        def enroll(waveform, lengths, sample_rate):
            """Mean and standard deviation of one speaker's features, and how many frames or clips they are of.

            And what they add to kernel and bias of a network that trains itself on them.
            """
            features, own = extracted(waveform, lengths, sample_rate)
            found = _statistics(features, own, enrolled)
            if trained is not None:
                mean, std = found["mean"], found["std"]
                found["kernel"], found["bias"] = trained.correction((features - mean) / _spread(mean, std))
            return found

        def known(waveform, sample_rate, mean, std, *correction):
            batch, count = tf.unstack(tf.shape(waveform))
            lengths = tf.fill([batch], count)
            features, own = extracted(waveform, lengths, sample_rate)
            with tf.control_dependencies(_faults_of_statistics(mean, std)):
                mean, std = tf.identity(mean), tf.identity(std)
            if trained is None:
                outputs = score(features, own, mean, _spread(mean, std), network_of_speaker)
            else:
                outputs = trained.outputs((features - mean) / _spread(mean, std), *correction)
            return undecided(outputs, holds_no_speech(waveform, lengths, sample_rate))

        self.enroll = enroll
        self._names += ["enroll", "waveform_of_speaker"]
        if trained is None:

            @tf.function(input_signature=[samples, rate, *statistics])
            def waveform_of_speaker(waveform, sample_rate, mean, std):
                """As `waveform`, scaled by the statistics of the speaker."""
                return known(waveform, sample_rate, mean, std)

            self.waveform_of_speaker = waveform_of_speaker
            return

        @tf.function(input_signature=[samples, rate, *statistics, *trained.specs])
        def waveform_of_trained_speaker(waveform, sample_rate, mean, std, kernel, bias):
            """As `waveform`, by the statistics of the speaker and what their clips add to kernel and bias."""
            return known(waveform, sample_rate, mean, std, kernel, bias)

        @tf.function(input_signature=[samples, lengths, rate])
        def clip_features(waveform, lengths, sample_rate):
            """The front end's features of each clip, before scaling."""
            return {"features": extracted(waveform, lengths, sample_rate)[0]}

        of_clips = [tf.TensorSpec((None, *enrolled_shape), tf.float32, name=name) for name in ("mean", "std")]

        @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.float32, name="features"), *of_clips])
        def self_train(features, mean, std):
            """What clips of several speakers add to kernel and bias; `mean` and `std` of each clip are its speaker's."""
            if enrolled != "cell":
                mean, std = mean[:, None], std[:, None]
            kernel, bias = trained.correction((features - mean) / _spread(mean, std))
            return {"kernel": kernel, "bias": bias}

        self.waveform_of_speaker = waveform_of_trained_speaker
        self.clip_features, self.self_train = clip_features, self_train
        self._names += ["clip_features", "self_train"]

    def signatures(self):
        """Names and functions for `tf.saved_model.save`."""
        return {name: getattr(self, name) for name in self._names}


def _spread(mean, std):
    """What features are divided by: the deviation, or 1 where they are constant."""
    return tf.where(std < CONSTANT * tf.maximum(tf.abs(mean), 1), 1.0, std)


def _statistics(features, own, each):
    """A speaker's statistics from features (clips, frames, dims) of which `own` (clips, frames) are no padding."""
    values = tf.cast(features, tf.float64)
    if each == "cell":
        weights, axes = tf.ones_like(values[:, :1, :1]), (0,)
    else:
        weights = tf.ones_like(values[..., :1]) if own is None else tf.cast(own[..., None], tf.float64)
        axes = (0, 1)
    count = tf.reduce_sum(weights)
    mean = tf.reduce_sum(weights * values, axes) / count
    variance = tf.reduce_sum(weights * (values - mean) ** 2, axes) / count
    return {
        "mean": tf.cast(mean, tf.float32),
        "std": tf.cast(tf.sqrt(variance), tf.float32),
        "count": tf.cast(count, tf.int32),
    }


def holds_no_speech(waveform, lengths, sample_rate):
    """Rows (batch,) of digital silence or steady sound, as `sertf.inference.verdicts.without_speech` knows them."""
    return is_silent(waveform, lengths) | is_steady(waveform, lengths, sample_rate)


def is_steady(waveform, lengths, sample_rate):
    """Rows (batch,) whose level stays the same, as `sertf.audio.steadiness.is_steady` knows them."""
    rate = tf.cast(tf.clip_by_value(sample_rate, *SAMPLE_RATES), tf.float32)
    size = tf.maximum(2, tf.cast(tf.round(FRAME_SECONDS * rate), tf.int32))
    most = tf.maximum(1, tf.shape(waveform)[1] // size)
    counts = tf.clip_by_value(lengths // size, 1, most)
    # A clip under one frame is padded to it; it is too short for a verdict.
    padded = tf.pad(waveform, [[0, 0], [0, tf.maximum(0, size - tf.shape(waveform)[1])]])
    frames = tf.reshape(padded[:, : most * size], (-1, most, size))  # (batch, frames, size)
    levels = 10 / math.log(10) * tf.math.log(tf.math.reduce_variance(frames, axis=2) + SMALLEST_POWER)
    # Frames of padding are sorted behind the row's own.
    own = tf.range(most) < counts[:, None]
    levels = tf.sort(tf.where(own, levels, _LOUDER_THAN_ALL), axis=1)
    low, high = (_percentile(levels, counts, share) for share in (0.05, 0.95))
    return (tf.cast(lengths, tf.float32) >= LEAST_SECONDS * rate) & (high - low < STEADY_DB)


def _percentile(values, counts, share):
    """Percentiles (batch,) of the first `counts` (batch,) of sorted values (batch, n), by linear interpolation."""
    place = share * tf.cast(counts - 1, tf.float32)
    lower = tf.cast(place, tf.int32)
    below, above = (
        tf.gather(values, at[:, None], batch_dims=1)[:, 0] for at in (lower, tf.minimum(lower + 1, counts - 1))
    )
    return below + (place - tf.cast(lower, tf.float32)) * (above - below)


def is_silent(waveform, lengths):
    """Rows of digital silence, (batch,): their own `lengths` (batch,) samples span less than `SILENCE_SPAN`."""
    own = spectral.own_positions(lengths, tf.shape(waveform)[1])
    highest = tf.reduce_max(tf.where(own, waveform, -LOUDEST), axis=1)
    lowest = tf.reduce_min(tf.where(own, waveform, LOUDEST), axis=1)
    return highest - lowest < SILENCE_SPAN


def undecided(outputs, rows):
    """The outputs with equal scores, which sum to 1, in the rows (batch,)."""
    scores = outputs["scores"]
    equal = tf.ones_like(scores) / tf.cast(tf.shape(scores)[1], scores.dtype)
    return outputs | {"scores": tf.where(rows[:, None], equal, scores)}


class FusedLSTM(keras.layers.LSTM):
    """An LSTM for inference that runs all time steps in one TensorFlow op, several times faster than Keras's loop.

    Masked steps keep output and state of the step before them, wherever they are, as in Keras's loop.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if mask is not None:
            # The op has no mask: unmasked steps go first, and their states return to their places afterwards.
            own_first = tf.argsort(tf.cast(~mask, tf.int32), axis=1, stable=True)
            sequences = tf.gather(sequences, own_first, batch_dims=1)
        no_peephole = tf.zeros([self.units])
        states = tf.raw_ops.BlockLSTMV2(
            seq_len_max=tf.shape(sequences, out_type=tf.int64)[1],
            x=tf.transpose(sequences, (1, 0, 2)),
            cs_prev=initial_state[1],
            h_prev=initial_state[0],
            w=tf.concat([self.cell.kernel, self.cell.recurrent_kernel], axis=0),
            wci=no_peephole,
            wcf=no_peephole,
            wco=no_peephole,
            b=self.cell.bias,
            cell_clip=-1.0,
        ).h
        outputs = tf.transpose(states, (1, 0, 2))  # (batch, steps, units)
        if mask is not None:
            steps_so_far = tf.cumsum(tf.cast(mask, tf.int32), axis=1)
            outputs = tf.concat([tf.zeros_like(outputs[:, :1]), outputs], axis=1)
            outputs = tf.gather(outputs, steps_so_far, batch_dims=1)
        return outputs[:, -1], outputs, initial_state


def for_inference(network, *, fused=True, temperature=None):
    """The network with fused recurrences. It gives a dict: scores, and embedding and attention if it has them.

    With a temperature the scores are `sertf.evaluation.calibration.probabilities` of the network's; None leaves them.
    """

    def copy(layer):
        config = layer.get_config()
        fusible = (
            fused and type(layer) is keras.layers.LSTM and all(config[key] == value for key, value in _FUSIBLE.items())
        )
        return (FusedLSTM if fusible else type(layer)).from_config(config)

    copied = keras.models.clone_model(network, clone_function=copy, recursive=True)
    copied.set_weights(network.get_weights())
    for layer in copied._flatten_layers():
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False  # exported with a GPU, it must still run without one
    outputs = {"scores": copied.output if temperature is None else _Calibrated(temperature)(copied.output)}
    names = {layer.name for layer in copied.layers}
    for name, index in _INSIDE.items():
        if name in names:
            output = copied.get_layer(name).output
            outputs[name] = output if index is None else output[index]
    return keras.Model(copied.inputs, outputs, name="network")


def at_own_rate(network, front_end, *, mean, std, clips=None):
    """Functions of features, and of a waveform at the front end's rate, to outputs: for formats without resampling.

    Args:
        network: the network from `for_inference`.
        front_end: layer of `sertf.features`; all rows of a waveform are whole.
        mean, std: as of `ServingModule`.
        clips: number of rows, for converters that need it as a constant; None for any.
    """
    if not front_end.built:
        front_end.build((None, None))
    dims = front_end.feature_shape[1:]

    def from_features(features):
        scaled = (features - mean) / std
        if front_end.trims:  # the rows behind the speech stay zero, which networks mask
            scaled = spectral.keep_own(scaled, tf.reduce_any(tf.not_equal(features, 0), axis=2))
        return network(scaled, training=False)

    def from_waveform(waveform):
        features = front_end(waveform)
        if clips is not None:  # framing hides how many there are from the converter
            features = tf.reshape(features, (clips, front_end.feature_shape[0] or -1, *dims))
        batch, samples = tf.unstack(tf.shape(waveform))
        unspoken = holds_no_speech(waveform, tf.fill([batch], samples), front_end.sample_rate)
        return undecided(from_features(features), unspoken)

    return from_features, from_waveform


class _Calibrated(keras.layers.Layer):
    """Scores over a temperature; a layer, since the names of single operations may be taken in a loaded network."""

    def __init__(self, temperature):
        super().__init__(name="calibrated", dtype="float32")
        self.temperature = temperature

    def call(self, scores):
        return keras.ops.softmax(keras.ops.log(keras.ops.maximum(scores, FLOOR)) / self.temperature)


_FUSIBLE = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "use_bias": True,
    "return_state": False,
    "stateful": False,
    "go_backwards": False,
    "zero_output_for_mask": False,
}


def _faults_of_waveform(waveform, lengths, sample_rate, minimum_seconds):
    lowest, highest = SAMPLE_RATES
    shortest, samples = tf.reduce_min(lengths), tf.shape(waveform)[1]
    seconds = tf.cast(shortest, tf.float64) / tf.cast(sample_rate, tf.float64)
    return _assertions(
        (tf.size(waveform) > 0, "The waveform is empty: it holds no samples.", ()),
        (
            (lowest <= sample_rate) & (sample_rate <= highest),
            f"sample_rate must lie between {lowest} and {highest} Hz, but is {{}}.",
            (sample_rate,),
        ),
        (
            tf.reduce_all((lengths >= 0) & (lengths <= samples)) & (tf.size(lengths) == tf.shape(waveform)[0]),
            "lengths must give each of the {} waveforms its samples, from 0 to {}, but is {}.",
            (tf.shape(waveform)[0], samples, lengths),
        ),
        (
            seconds > minimum_seconds - 1e-9,
            f"The waveform is too short: {{}} samples at {{}} Hz, at least {minimum_seconds:.3g} s are needed.",
            (shortest, sample_rate),
        ),
        (tf.reduce_all(tf.math.is_finite(waveform)), "The waveform holds NaN or infinite samples.", ()),
        (
            tf.reduce_max(tf.abs(waveform)) <= LOUDEST,
            "The waveform must have full scale at 1, but its largest sample is {}; divide 16-bit integers by 32768.",
            (tf.reduce_max(tf.abs(waveform)),),
        ),
    )


def _faults_of_features(features, own):
    return _assertions(
        (tf.size(features) > 0, "The features are empty: they hold no values.", ()),
        (tf.reduce_all(tf.math.is_finite(features)), "The features hold NaN or infinite values.", ()),
        (
            True if own is None else tf.reduce_all(tf.reduce_any(own, axis=1)),
            "An utterance has no frame: all its features are zero, and zeros are padding.",
            (),
        ),
    )


def _faults_of_statistics(mean, std):
    return _assertions(
        (
            tf.reduce_all(tf.math.is_finite(mean) & tf.math.is_finite(std) & (std >= 0)),
            "The speaker's statistics must be finite, and std 0 or more; take them from the signature enroll.",
            (),
        ),
    )


def _assertions(*checks):
    """Assert ops from (condition, sentence, values for the braces in the sentence)."""
    return [
        tf.debugging.Assert(condition, [tf.strings.format(sentence, values)])
        for condition, sentence, values in checks
        if condition is not True
    ]
