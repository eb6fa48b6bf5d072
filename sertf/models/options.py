"""Checks that all builders share: sizes are whole numbers above 0, rates of dropout lie from 0 to below 1."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sertf.errors import SertfError, check_finite, check_whole, is_number, unknown

Builder = TypeVar("Builder", bound=Callable[..., Any])
Shape = Sequence[Any]
"""Sizes of one utterance's features: whole numbers, and None where a length is open."""


def checked(
    title: str, *, least: Mapping[str, int] | None = None, forms: Mapping[str, tuple[int | None, ...]] | None = None
) -> Callable[[Builder], Builder]:
    """Decorator: the builder refuses options of impossible values before it builds anything.

    Args:
        title: name of the network, in front of the message.
        least: lowest values of the options that may be less than 1, by name.
        forms: lengths of the rows of options with the default None, by name, None for any length. (2,) is a pair, (None,
            3) are rows of three. A default that is a row, or rows, gives the form itself.

    The builder then raises SertfError for:

    - an input shape of anything but whole numbers above 0, and None for an open length,
    - fewer than 2 emotions,
    - an option of another form,
    - whole numbers that are fractional or too small,
    - a number that is not finite where the default is fractional,
    - a switch that is neither True nor False.

    Its attribute `check_values` is a function that checks options alone.
    """

    def decorate(build):
        defaults = {name: entry.default for name, entry in inspect.signature(build).parameters.items()}

        def check_values(options):
            for name, value in options.items():
                default = defaults.get(name)
                form = _form_of(default) if isinstance(default, tuple) else (forms or {}).get(name, ())
                _check(title, name, value, default, (least or {}).get(name, 1), form)

        @functools.wraps(build)
        def build_checked(input_shape, num_classes, **options):
            _check_shape(title, input_shape)
            check_whole(title, least=2, num_classes=num_classes)
            check_values(options)
            return build(input_shape, num_classes, **options)

        build_checked.check_values = check_values
        return build_checked

    return decorate


def check_names(model: str, build: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raise SertfError if a builder takes no option of some name; it lists those that it takes."""
    parameters = inspect.signature(build).parameters.values()
    # A seed is the run's affair.
    known = [entry.name for entry in parameters if entry.kind is entry.KEYWORD_ONLY and entry.name != "seed"]
    for name in options:
        if name not in known:
            raise SertfError(unknown(f"option of {model}", name, known))


def _check_shape(title, shape):
    if not isinstance(shape, tuple | list) or not all(size is None or _is_whole(size) and size > 0 for size in shape):
        raise SertfError(
            f"{title}: input_shape must be a row of whole numbers above 0, None where a length is open, got {shape!r}."
        )


def _check(title, name, value, default, least, form):
    def refuse(wanted):
        raise SertfError(f"{title}: {name} must be {wanted}, got {value!r}.")

    if name == "dropout":
        if not is_number(value) or not 0 <= value < 1:
            raise SertfError(f"{title}: dropout must lie from 0 to below 1, got {value!r}.")
    elif isinstance(default, bool):
        if not isinstance(value, bool):
            refuse("True or False")
    elif isinstance(default, float):
        check_finite(title, **{name: value})
    elif form:
        fits = value is None and default is None or _has_form(value, form)
        if not fits or not all(_is_whole(part) and part >= least for part in _parts(value) if part is not None):
            refuse(_described(form, least))
    elif isinstance(default, int) or (default is None and any(is_number(part) for part in _parts(value))):
        check_whole(title, least=least, **{name: value})


def _form_of(default):
    """Lengths of a default's rows, None for the outermost, which may be longer or shorter."""
    return (None, len(default[0])) if isinstance(default[0], tuple) else (None,)


def _has_form(value, form):
    if not form:
        return not isinstance(value, tuple | list)
    if not isinstance(value, tuple | list) or not value:
        return False
    return form[0] in (None, len(value)) and all(_has_form(part, form[1:]) for part in value)


def _described(form, least):
    above = f"whole numbers above {least - 1}" if least else "whole numbers of 0 or more"
    if len(form) == 2:
        return f"one or more rows of {form[1]} {above}"
    return f"one or more {above}" if form[0] is None else f"{form[0]} {above}"


def _parts(value):
    """The numbers in rows of rows of them."""
    return [part for row in value for part in _parts(row)] if isinstance(value, tuple | list) else [value]


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)
