"""Checks that all builders share: sizes are whole numbers above 0, rates of dropout lie from 0 to below 1."""

import functools
import inspect
import math

from sertf.errors import SertfError, check_whole, unknown


def checked(title, *, least=None):
    """Decorator: a builder that refuses options of impossible values before it builds anything.

    Args:
        title: of the network, in front of the message.
        least: the lowest number of options that may be less than 1, by name.

    The builder then raises SertfError for fewer than 2 emotions, for an option that holds a number or rows of numbers
    which are not whole or too small, and for one with a fractional default that is not finite. Its attribute
    `check_values` is a function that checks options alone.
    """

    def decorate(build):
        defaults = {name: entry.default for name, entry in inspect.signature(build).parameters.items()}

        def check_values(options):
            for name, value in options.items():
                _check(title, name, value, defaults.get(name), (least or {}).get(name, 1))

        @functools.wraps(build)
        def build_checked(input_shape, num_classes, **options):
            check_whole(title, least=2, num_classes=num_classes)
            check_values(options)
            return build(input_shape, num_classes, **options)

        build_checked.check_values = check_values
        return build_checked

    return decorate


def check_names(model, build, options):
    """Raise SertfError if a builder takes no option of some name; it lists those that it takes."""
    known = [entry.name for entry in inspect.signature(build).parameters.values() if entry.kind is entry.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise SertfError(unknown(f"option of {model}", name, known))


def _check(title, name, value, default, least):
    if name == "dropout":
        if not _is_number(value) or not 0 <= value < 1:
            raise SertfError(f"{title}: dropout must lie from 0 to below 1, got {value!r}.")
    elif isinstance(default, float):
        if not _is_number(value) or not math.isfinite(value):
            raise SertfError(f"{title}: {name} must be a finite number, got {value!r}.")
    elif isinstance(default, int):
        if not isinstance(default, bool):
            check_whole(title, least=least, **{name: value})
    elif isinstance(default, tuple) or (default is None and _holds_numbers(value)):
        if not all(_is_whole(part) and part >= least for part in _parts(value)):
            above = f"above {least - 1}" if least else "of 0 or more"
            raise SertfError(f"{title}: {name} must be whole numbers {above}, got {value!r}.")


def _parts(value):
    """The numbers in rows of rows of them."""
    return [part for row in value for part in _parts(row)] if isinstance(value, tuple | list) else [value]


def _holds_numbers(value):
    return any(_is_number(part) for part in _parts(value))


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)
