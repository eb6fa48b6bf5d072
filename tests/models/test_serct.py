import keras
import numpy as np
import pytest
import scipy.special

from sertf.errors import SertfError
from sertf.layers import NoisePositions, NormedConvolution
from sertf.models import serct

SMALL = {
    "convolutions": ((4, 6, 3), (6, 3, 2), (6, 2, 2)),
    "width": 8,
    "layers": 2,
    "heads": 2,
    "feed_forward": 6,
}


def small(samples=60, **options):
    keras.utils.set_random_seed(0)
    return serct.build((samples, 1), 3, **{**SMALL, **options})


def waveforms(rows=2, samples=60):
    return np.random.default_rng(0).normal(size=(rows, samples, 1)).astype("float32")


def sizes(size):
    """Parameters of each module by hand: (CNN, projection, one encoder layer, its decision network, input norm, head)."""
    filters, width, inner = {"paper": (512, 1024, 512), "narrow": (64, 128, 64)}[size]
    cnn = filters * 10 + 4 * filters * filters * 3 + 2 * filters * filters * 2 + 2 * filters + 2 * filters
    projection = (filters + 1) * width
    layer = 4 * width * width + 2 * width * inner + 2 * 2 * width
    decisions = 2 * 8 * (width + 1)
    half, quarter = width // 2, width // 4
    head = (width + 1) * half + (half + 1) * quarter + (quarter + 1) * 7
    return cnn, projection, layer, decisions, 2 * width, head


@pytest.mark.parametrize(("size", "samples", "expected"), [("paper", 144_000, 26_440_263), ("narrow", 48_000, 423_559)])
def test_parameters_by_hand(size, samples, expected):
    def count(**options):
        return serct.build((samples, 1), 7, size=size, **options).count_params()

    cnn, projection, layer, decisions, norm, head = sizes(size)
    whole = cnn + projection + norm + 4 * (layer + decisions) + head
    assert count() == whole == expected
    assert count(attention="vanilla") == whole - 4 * decisions
    assert count(without="transformer") == cnn + projection + head
    width = serct.SIZES[size]["width"]
    assert count(without="cnn") == whole - cnn - projection + (320 + 1) * width
    biases = 4 * width + serct.SIZES[size]["feed_forward"] + width
    assert count(use_bias=True) == whole + 4 * biases


def test_positions_of_the_code():
    narrow = {"size": "narrow", "layers": 1}
    model = serct.build((4800, 1), 7, **narrow, positions="noise")
    (noise,) = [layer for layer in model.layers if isinstance(layer, NoisePositions)]
    assert noise.positions.shape == (15, 128)
    assert model.count_params() == serct.build((4800, 1), 7, **narrow).count_params() + 15 * 128
    with pytest.raises(SertfError, match="positions must be one of sinusoidal, noise"):
        serct.build((4800, 1), 7, **narrow, positions="none")


@pytest.mark.parametrize(("size", "samples", "steps"), [("paper", 144_000, 450), ("narrow", 48_000, 150)])
def test_steps_of_the_papers_and_the_narrow_size(size, samples, steps):
    for without in (None, "cnn"):
        model = serct.build((samples, 1), 7, without=without, size=size)
        assert model.get_layer("projection").output.shape == (None, steps, serct.SIZES[size]["width"])
    assert serct.steps_of(samples, serct.SIZES[size]["convolutions"]) == steps


@pytest.mark.parametrize("samples", [60, 61, 71])
def test_steps_are_counted_as_they_come(samples):
    assert small(samples).get_layer("projection").output.shape[1] == serct.steps_of(samples, SMALL["convolutions"])


@pytest.mark.parametrize("layers", range(1, 7))
def test_depth(layers):
    model = small(layers=layers)
    names = {layer.name for layer in model.layers}
    assert {name for name in names if name.startswith("attention_")} == {f"attention_{i + 1}" for i in range(layers)}
    per_layer = 4 * 8 * 8 + 2 * 8 * 6 + 4 * 8 + 2 * 2 * 9
    assert model.count_params() == small(layers=1).count_params() + (layers - 1) * per_layer


def kinds(model):
    return {type(layer).__name__ for layer in model.layers}


def test_ablations_leave_their_module_out():
    assert "DeformableAttention" in kinds(small())
    vanilla = kinds(small(attention="vanilla"))
    assert "MultiHeadAttention" in vanilla and "DeformableAttention" not in vanilla
    alone = kinds(small(without="transformer"))
    assert not alone & {"DeformableAttention", "MultiHeadAttention", "SinusoidalPositions"}
    pieces = small(without="cnn")
    assert "NormedConvolution" not in kinds(pieces)
    # Each step is a projection of its own 12 samples and of no others.
    projected = keras.Model(pieces.input, pieces.get_layer("projection").output)
    changed = waveforms()
    changed[:, 12:24] += 1
    moved = np.abs(np.asarray(projected(changed)) - np.asarray(projected(waveforms()))).max(axis=(0, 2)) > 1e-6
    assert moved.tolist() == [False, True, False, False, False]


@pytest.mark.parametrize("options", [{}, {"attention": "vanilla"}, {"without": "cnn"}, {"without": "transformer"}])
def test_learns(options):
    """Three tones in noise."""
    labels = np.arange(48) % 3
    tones = np.sin(2 * np.pi * np.array([[0.05], [0.12], [0.2]]) * np.arange(60))
    inputs = (tones[labels] + np.random.default_rng(0).normal(0, 0.1, (48, 60)))[..., None].astype("float32")
    model = small(width=32, layers=1, dropout=0.0, **options)
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(inputs, labels, epochs=20, batch_size=12, verbose=0)
    assert (np.asarray(model(inputs)).argmax(axis=1) == labels).mean() > 0.8  # chance is a third


def test_windows_and_weights_can_be_read_out():
    model = small()
    steps = model.get_layer("projection").output.shape[1]
    inside = keras.Model(model.input, [model.get_layer(f"attention_{i}").output for i in (1, 2)])
    for states, weights, windows in inside(waveforms()):
        assert states.shape == (2, steps, 8)
        assert weights.shape == (2, 2, steps, steps) and windows.shape == (2, 2, steps, 2)
        np.testing.assert_allclose(np.asarray(weights).sum(axis=-1), 1, rtol=1e-5)


def test_averaging_before_the_last_dense_layer_is_averaging_its_outputs():
    model = small()
    pooling, last = model.get_layer("embedding"), model.get_layer("scores")
    steps = np.asarray(keras.Model(model.input, pooling.input)(waveforms()), "float64")  # (batch, steps, values)
    kernel, bias = (np.asarray(weight, "float64") for weight in last.get_weights())
    logits = np.exp((steps @ kernel + bias).mean(axis=1))
    np.testing.assert_allclose(model(waveforms()), logits / logits.sum(axis=1, keepdims=True), rtol=1e-5)


def test_positions_tell_steps_apart():
    """Attention alone has no order: without positions a waveform played piece by piece backwards would score the same."""
    model = small(without="cnn")
    backwards = waveforms().reshape(2, 5, 12, 1)[:, ::-1].reshape(2, 60, 1)
    assert np.abs(np.asarray(model(waveforms())) - np.asarray(model(backwards))).max() > 1e-5


def test_only_the_first_convolution_is_normed_over_time():
    model = small()
    norms = [layer for layer in model.layers if isinstance(layer, NormedConvolution)]
    assert len(norms) == 1
    normed = np.asarray(keras.Model(model.input, norms[0].output)(3 * waveforms() + 1))
    np.testing.assert_allclose(normed.mean(axis=1), 0, atol=1e-4)  # each filter of each clip by itself
    np.testing.assert_allclose(normed.std(axis=1), 1, atol=1e-2)


def test_scores_stay_float32_under_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small()
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("projection").compute_dtype == "bfloat16"
    scores = np.asarray(model(waveforms()))
    assert scores.dtype == "float32"
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(scores, small()(waveforms()), atol=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 0}, "layers must be a whole number above 0, got 0"),
        ({"layers": 2.0}, "layers must be a whole number above 0, got 2.0"),
        ({"size": "wide"}, "size must be one of paper, narrow, got 'wide'"),
        ({"width": 2, "heads": 2}, "width must be 4 or more, since the head has a quarter of it, got 2"),
        ({"heads": 3}, "heads must divide the width, 8, got 3"),
        ({"attention": "local"}, "attention must be one of deformable, vanilla, got 'local'"),
        ({"without": "head"}, "without must be one of cnn, transformer, or None, got 'head'"),
        ({"convolutions": ((4, 3),)}, "convolutions must be one or more rows of 3 whole numbers above 0"),
        ({"convolutions": ()}, "convolutions must be one or more rows of 3"),
        ({"convolutions": ((4, 0, 2),)}, r"convolutions must be .* above 0, got \(\(4, 0, 2\),\)"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(SertfError, match=message):
        small(**options)


@pytest.mark.parametrize("shape", [(None, 1), (60, 2), (60,)])
def test_bad_input_shape(shape):
    with pytest.raises(SertfError, match=r"input_shape must be \(samples, 1\) of a fixed number of samples"):
        serct.build(shape, 3)


@pytest.mark.parametrize("without", [None, "cnn"])
def test_waveform_shorter_than_a_step(without):
    shortest = 12
    small(shortest, without=without)
    with pytest.raises(SertfError, match=f"a waveform of {shortest - 1} samples is shorter than one step"):
        small(shortest - 1, without=without)


def normed(x, gain, shift, axis=-1):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5) * gain + shift


def convolved(x, kernel, stride):
    """(steps, channels) by (width, channels, filters)."""
    width = len(kernel)
    starts = range(0, len(x) - width + 1, stride)
    return np.stack([np.einsum("wc,wcf->f", x[start : start + width], kernel) for start in starts])


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attended(x, query, key, value, output):
    """Equations 4 to 6: heads of 4 values."""
    q, k, v = (np.einsum("td,dhe->hte", x, kernel) for kernel in (query, key, value))
    heads = softmax(q @ k.transpose(0, 2, 1) / 4**0.5) @ v  # (heads, steps, 4)
    return np.einsum("hte,hed->td", heads, output)


def literal_scores(x, weights, rows):
    """SERCT with ordinary attention and 2 layers of one waveform (samples, 1), its weights in their order."""
    taken = iter(weights)

    def take(count):
        return [next(taken) for _ in range(count)]

    for i, (_, _, stride) in enumerate(rows):
        x = np.pad(x, ((1, 1), (0, 0))) if i == len(rows) - 1 else x
        x = convolved(x, *take(1), stride)
        x = normed(x, *take(2), axis=0) if i == 0 else x
        x = x * (1 + scipy.special.erf(x / 2**0.5)) / 2  # equation 2
    x = normed(x, *take(2))
    x = x @ next(taken) + next(taken)
    x = normed(x, *take(2))
    width = x.shape[1]
    angles = np.arange(len(x))[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    x = x + np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(x.shape)
    for _ in range(2):
        x = normed(x + attended(x, *take(4)), *take(2))
        inner, outer = take(2)
        x = normed(x + np.maximum(x @ inner, 0) @ outer, *take(2))
    for _ in range(2):
        x = np.maximum(x @ next(taken) + next(taken), 0)
    scores = softmax(x.mean(axis=0) @ next(taken) + next(taken))
    assert next(taken, None) is None
    return scores


def test_the_network_written_out_in_numpy():
    model, clips, rng = small(attention="vanilla"), waveforms(), np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.normal("gamma" in weight.path, 0.4, weight.shape))
    weights = [np.array(weight, "float64") for weight in model.weights]
    expected = [literal_scores(clip.astype("float64"), weights, SMALL["convolutions"]) for clip in clips]
    np.testing.assert_allclose(np.array(model(clips)), expected, atol=1e-5)


def test_convolutions_start_as_he_normal():
    model = serct.build((48_000, 1), 7, size="narrow")
    kernels = [layer.kernel for layer in model.layers if isinstance(layer, keras.layers.Conv1D)]
    for kernel in kernels[:5]:
        width, channels, _ = kernel.shape
        assert np.array(kernel).std() == pytest.approx((2 / (width * channels)) ** 0.5, rel=0.05)
