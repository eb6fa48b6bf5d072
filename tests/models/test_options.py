import pytest

from sertf.errors import SertfError
from sertf.models import MODELS
from sertf.models.options import checked
from sertf.training.trainers import find


@checked("Net", least={"masks": 0}, forms={"masks": (2,)})
def build(
    input_shape, num_classes, *, units=4, rows=(1, 2), masks=None, weight=1.0, size="small", bias=True, dropout=0.1
):
    return units, rows, masks, weight, size, bias, dropout


def test_possible_options_reach_the_builder():
    assert build((3,), 2) == (4, (1, 2), None, 1.0, "small", True, 0.1)
    options = {"units": 1, "rows": [3], "masks": (0, 5), "weight": 0, "size": 7, "bias": False, "dropout": 0}
    assert build((3,), 2, **options) == tuple(options.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "units must be a whole number above 0, got 0"),
        ({"units": 2.0}, "units must be a whole number above 0, got 2.0"),
        ({"units": True}, "units must be a whole number above 0, got True"),
        ({"units": float("nan")}, "units must be a whole number above 0, got nan"),
        ({"units": (2, 3)}, r"units must be a whole number above 0, got \(2, 3\)"),
        ({"units": "many"}, "units must be a whole number above 0, got 'many'"),
        ({"rows": (1, 0)}, r"rows must be one or more whole numbers above 0, got \(1, 0\)"),
        ({"rows": 3}, "rows must be one or more whole numbers above 0, got 3"),
        ({"rows": ()}, r"rows must be one or more whole numbers above 0, got \(\)"),
        ({"rows": [[3]]}, r"rows must be one or more whole numbers above 0, got \[\[3\]\]"),
        ({"masks": (0, -1)}, r"masks must be 2 whole numbers of 0 or more, got \(0, -1\)"),
        ({"masks": (1, 2, 3)}, r"masks must be 2 whole numbers of 0 or more, got \(1, 2, 3\)"),
        ({"masks": "wide"}, "masks must be 2 whole numbers of 0 or more, got 'wide'"),
        ({"bias": 0}, "bias must be True or False, got 0"),
        ({"bias": "no"}, "bias must be True or False, got 'no'"),
        ({"weight": float("inf")}, "weight must be a finite number, got inf"),
        ({"dropout": 1}, "dropout must lie from 0 to below 1, got 1"),
        ({"dropout": float("nan")}, "dropout must lie from 0 to below 1, got nan"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(SertfError, match=f"^Net: {message}"):
        build((3,), 2, **options)


@pytest.mark.parametrize("count", [1, 2.0, True])
def test_fewer_than_two_emotions(count):
    with pytest.raises(SertfError, match="Net: num_classes must be a whole number above 1, got"):
        build((3,), count)


@pytest.mark.parametrize("model", MODELS)
def test_every_builder_of_the_zoo_refuses_impossible_dropout(model):
    shape = (16000, 1) if model.startswith(("serct", "waveform")) else (64, 64)
    option = {"rbm": {"hidden_units": 0}, "wavelet_cnn_lstm": {"lstm_units": 0}}.get(model, {"dropout": 1.5})
    with pytest.raises(SertfError, match="must"):
        MODELS[model](shape, 4, **option)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", [(0, 5), (-3, 5), (64, 0), (64.0, 5), ("64", 5), 5, None])
def test_every_builder_of_the_zoo_refuses_impossible_shapes(model, shape):
    with pytest.raises(SertfError, match="input_shape must be a row of whole numbers above 0, None where a length is"):
        MODELS[model](shape, 3)


def test_options_that_a_model_does_not_take():
    find("speechnet").check_options({"iterations": 3})
    find("svm").check_options({"C": 1.0})
    with pytest.raises(SertfError, match="Unknown option of speechnet 'iteration'; did you mean iterations"):
        find("speechnet").check_options({"iteration": 3})
    with pytest.raises(SertfError, match="Unknown option of svm 'units'; known are"):
        find("svm").check_options({"units": 3})
    with pytest.raises(SertfError, match="Unknown model 'speachnet'; did you mean speechnet"):
        find("speachnet").check_options({})
