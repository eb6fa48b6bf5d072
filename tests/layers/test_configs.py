"""A layer's configuration holds every argument, so that a saved model is loaded as it was built."""

import inspect

import pytest

from sertf import layers

# Arguments other than the defaults, where their values must fit together or the layer.
ARGUMENTS = {
    "CapsuleRouting": {"num_classes": 3, "dimension": 4, "iterations": 3, "mode": "classic"},
    "DeformableAttention": {
        "heads": 3,
        "head_units": 5,
        "initial_half_widths": (2.0, 7.0),
        "anchor_gain": 0.5,
        "dropout": 0.3,
        "use_bias": True,
    },
}


def arguments_of(layer):
    """Names and values that are not the defaults."""
    given = ARGUMENTS.get(layer.__name__, {})
    found = {}
    for name, parameter in inspect.signature(layer.__init__).parameters.items():
        if name == "self" or parameter.kind is inspect.Parameter.VAR_KEYWORD or "__init__" not in vars(layer):
            continue
        default = parameter.default
        if name in given:
            found[name] = given[name]
        elif isinstance(default, bool):
            found[name] = not default
        elif isinstance(default, float):
            found[name] = default / 2 + 0.05
        else:
            found[name] = 3 if default in (inspect.Parameter.empty, None) else default + 1
    return found


@pytest.mark.parametrize("name", sorted({*layers.__all__} - {"SoftAttention"}))  # an initializer is spelt in full there
def test_every_argument_is_in_the_configuration(name):
    layer = getattr(layers, name)
    given = arguments_of(layer)
    config = layer(**given).get_config()
    for argument, value in given.items():
        assert config[argument] == value or tuple(config[argument]) == value
    assert layer.from_config(config).get_config() == config
