"""Custom Python code that an experiment names as "module:name", such as "my_models:build".

The module is a file beside the script, or any that `import` finds. Worker processes import it too; those of a cluster
need it installed.
"""

import importlib
import inspect
import json
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from sertf.errors import SertfError
from sertf.files import digest

# The function or class, and the content of its file when first asked for.
_digests: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


def is_custom(name: object) -> bool:
    """Whether a model or a front end of this name is custom.

    Raises:
        SertfError: the name is not a text but, for instance, the function itself; no manifest could hold it.
    """
    if not isinstance(name, str):
        raise SertfError(f"Models and front ends are named by text, such as 'my_models:build', got {name!r}.")
    return ":" in name


def import_named(kind: str, name: str) -> tuple[ModuleType, Any]:
    """Import "module:name".

    Args:
        kind: "model" or "front end", for errors.
        name: the text.

    Returns:
        The module and its attribute, None if it has no such attribute.

    Raises:
        SertfError: a name of another form, or no such module. Errors inside the module pass through unchanged.
    """
    module, _, attribute = name.partition(":")
    example = {"model": "my_models:build", "front end": "my_features:Energy"}[kind]
    what = f"{kind.capitalize()} {name}"
    if module.endswith(".py"):
        raise SertfError(f"{what}: name the module without .py, as {Path(module).stem}:{attribute}.")
    if not all(part.isidentifier() for part in [*module.split("."), attribute]):
        form = {"model": "module:function", "front end": "module:Class"}[kind]
        raise SertfError(f"{what}: name a custom {kind} {form}, such as {example}.")
    if module == "__main__":
        raise SertfError(
            f"{what}: worker processes cannot import from the script that started them; name it by its file, as in "
            f"{example}."
        )
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # a module that the custom module imports
        raise SertfError(
            f"{what}: Python finds no module {module}; put {module.replace('.', '/')}.py beside the script, or its folder "
            "on PYTHONPATH. The command sertf needs PYTHONPATH in any case."
        ) from None
    return found, getattr(found, attribute, None)


def source_digest(defined: Callable[..., Any], module: ModuleType | None = None) -> str:
    """Digest of the file with a function or class. After a change of the file, earlier runs do not count as finished.

    Args:
        defined: the function or class.
        module: the module of the file; None for the one that defines it.

    Raises:
        SertfError: the code is in no Python file, so a change of it would pass unnoticed. Or the file has changed since
            it was imported.
    """
    file = str(getattr(module or inspect.getmodule(defined), "__file__", ""))
    if not file.endswith(".py"):
        raise SertfError(
            f"{defined.__name__} is in no Python file, so a change of it would pass unnoticed; define it in a file and "
            "import it."
        )
    found = digest(Path(file).read_bytes(), size=8)
    if _digests.setdefault(defined, found) != found:
        raise SertfError(f"{file} has changed since {defined.__name__} was imported from it; restart Python.")
    return found


def check_plain(what: str, options: Mapping[str, Any]) -> None:
    """Raise SertfError for options that no manifest can hold; `what` names their owner."""
    for name, value in options.items():
        try:
            json.dumps(value, allow_nan=False)
            plain = _keys_are_text(value)
        except (TypeError, ValueError):
            plain = False
        if not plain:
            raise SertfError(
                f"{what}: the option {name} must be a plain value (number, text, True, False, None, or a list or mapping by "
                f"text of these), got {value!r}."
            )


def _keys_are_text(value):
    if isinstance(value, Mapping):
        return all(isinstance(key, str) for key in value) and all(map(_keys_are_text, value.values()))
    return not isinstance(value, list | tuple) or all(map(_keys_are_text, value))
