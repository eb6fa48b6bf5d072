import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.models.cnn_transformer import build

SMALL = {"channels": (3, 4), "pools": (2, 4), "layers": 1, "feed_forward": 6}


def test_the_papers_size_has_the_papers_shapes():
    model = build((563, 128), 8)
    assert model.get_layer("f_cnn").output.shape == (None, 256)
    assert model.get_layer("states").output.shape == (None, 140, 64)
    context, weights = model.get_layer("attention").output
    assert context.shape == (None, 64) and weights.shape == (None, 140)
    assert model.get_layer("embedding").output.shape == (None, 320)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    # Two of 3×3 a block, and a 1×1 shortcut wherever the channels change.
    assert [layer.kernel_size for layer in convolutions].count((3, 3)) == 8
    assert [layer.kernel_size for layer in convolutions].count((1, 1)) == 3


def test_parameters_by_hand():
    assert build((188, 128), 8).count_params() == _cnn((16, 32, 64, 64)) + 4 * _encoder(64, 512) + 3 * 64 * 64 + 129 * 8
    small = build((188, 128), 8, size="small")
    assert small.count_params() == _cnn((8, 16, 32, 64)) + 2 * _encoder(64, 256) + 3 * 64 * 64 + 129 * 8


def last_frame_moves(**options):
    """Whether the vector of the CNN branch depends on the last frame of 188."""
    keras.utils.set_random_seed(0)
    model = build((188, 128), 3, size="small", **options)
    branch = keras.Model(model.input, model.get_layer("f_cnn").output)
    data = np.random.default_rng(0).normal(size=(1, 188, 128)).astype("float32")
    other = data.copy()
    other[:, 187] += 10
    return not np.array_equal(np.asarray(branch(data)), np.asarray(branch(other)))


def test_pools_that_fill_up_drop_no_frames():
    assert not last_frame_moves()
    assert last_frame_moves(padding="same")
    assert build((188, 128), 8, size="small", padding="same").get_layer("f_cnn").output.shape == (None, 128)
    with pytest.raises(SertfError, match="padding must be one of valid, same"):
        build((188, 128), 8, padding="full")


def _cnn(channels):
    count, before = 0, 1
    for width in channels:
        count += 9 * before * width + 9 * width * width + 2 * 4 * width
        count += (before + 1) * width if before != width else 0
        before = width
    return count


def _encoder(width, feed_forward):
    return 4 * (width + 1) * width + (width + 1) * feed_forward + (feed_forward + 1) * width + 4 * width


def test_attention_weights_can_be_read_out_and_sum_to_one():
    model = build((20, 16), 3, **SMALL)
    inside = keras.Model(model.input, model.get_layer("attention").output[1])
    weights = np.asarray(inside(np.random.default_rng(0).normal(size=(2, 20, 16)).astype("float32")))
    assert weights.shape == (2, 5)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_masks_hide_parts_of_the_image_from_both_branches_in_training_alone():
    model = build((40, 16), 3, masks=(4, 8), **SMALL)
    image = keras.Model(model.input, model.get_layer("image").output)
    data = np.ones((16, 40, 16), "float32")
    assert (np.asarray(image(data)) == 1).all()
    hidden = (np.asarray(image(data, training=True)) == 0).mean()
    assert 0.1 < hidden < 0.6  # two masks of 4 frames of 40 and two of 2 bands of 16 on the average
    assert model.count_params() == build((40, 16), 3, **SMALL).count_params()


@pytest.mark.parametrize(("branch", "absent"), [("cnn", "states"), ("transformer", "f_cnn")])
def test_each_branch_alone(branch, absent):
    model = build((20, 16), 3, branch=branch, **SMALL)
    names = {layer.name for layer in model.layers}
    assert absent not in names and "attention" not in names
    assert model(np.zeros((2, 20, 16), "float32")).shape == (2, 3)


def test_mels_are_the_images_rows():
    """A pool of 4 mel bands by 1 frame would mix other values: the first pool of the Transformer is 2 bands by 4 frames."""
    model = build((8, 4), 3, branch="transformer", heads=1, **SMALL)
    pool = next(layer for layer in model.layers if isinstance(layer, keras.layers.MaxPooling2D))
    features = np.zeros((1, 8, 4), "float32")
    features[0, 3, 1] = 5.0  # frame 3, band 1: step 0, value 0
    pooled = np.asarray(keras.Model(model.input, pool.output)(features))
    assert pooled.shape == (1, 2, 2, 1) and pooled[0, 0, 0, 0] == 5 and pooled.sum() == 5


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((188, 64), {}, r"pools \(2, 4, 4, 4\) shrink the 64 mels to nothing"),
        ((100, 128), {}, r"pools \(2, 4, 4, 4\) shrink the 100 frames to nothing"),
        ((None, 128), {}, r"input_shape must be \(frames, mels\), both fixed, got \(None, 128\)"),
        ((188, 128), {"branch": "rnn"}, "branch must be one of both, cnn, transformer, got 'rnn'"),
        ((188, 128), {"heads": 5}, "heads must divide half the mels, 64, got 5"),
        ((188, 128), {"size": "large"}, "size must be one of paper, small, got 'large'"),
        ((188, 128), {"pools": (2, 4)}, "channels and pools must be of one length, got 4 and 2"),
        ((3, 128), {"branch": "transformer"}, r"at least \(4 frames, 2 mels\), got \(3, 128\)"),
    ],
)
def test_a_mistake_is_one_sentence(shape, options, message):
    with pytest.raises(SertfError, match=message):
        build(shape, 8, **options)
