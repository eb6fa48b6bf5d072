"""Python code of a user's own that an experiment names as "module:name", such as "my_models:build".

The module is a file beside the script, or whatever else `import` finds, in worker processes too; a cluster's need it
installed.
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

# The function or class, and what its file was when it was first asked for.
_digests: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


def is_custom(name: object) -> bool:
    """Whether a name of a model or a front end is one of a user's own.

    Raises:
        SertfError: what is no text, such as the function itself, which no manifest could hold.
    """
    if not isinstance(name, str):
        raise SertfError(f"Models and front ends are named by text, such as 'my_models:build', got {name!r}.")
    return ":" in name


def import_named(kind: str, name: str) -> tuple[ModuleType, Any]:
    """Import what "module:name" means.

    Args:
        kind: "model" or "front end", for errors.
        name: the text.

    Returns:
        The module, and its attribute, None if there is no such.

    Raises:
        SertfError: a name of another form, or no such module. What goes wrong inside the module is raised as it is.
    """
    module, _, attribute = name.partition(":")
    example = {"model": "my_models:build", "front end": "my_features:Energy"}[kind]
    what = f"{kind.capitalize()} {name}"
    if module.endswith(".py"):
        raise SertfError(f"{what}: a module is named without .py; write {Path(module).stem}:{attribute}.")
    if not all(part.isidentifier() for part in [*module.split("."), attribute]):
        form = {"model": "module:function", "front end": "module:Class"}[kind]
        raise SertfError(f"{what}: a {kind} of your own is named {form}, such as {example}.")
    if module == "__main__":
        raise SertfError(
            f"{what}: worker processes import it, which they cannot from the script that started them; name it by its "
            f"file, as in {example}."
        )
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # one that the user's module imports
        raise SertfError(
            f"{what}: Python finds no module {module}; put {module.replace('.', '/')}.py beside the script, or its folder "
            "on PYTHONPATH, which the command sertf needs in any case."
        ) from None
    return found, getattr(found, attribute, None)


def source_digest(defined: Callable[..., Any], module: ModuleType | None = None) -> str:
    """Digest of the file that holds a function or class, so that runs of another version of it do not count as finished.

    Args:
        defined: the function or class.
        module: whose file counts; None for the one that it was defined in.

    Raises:
        SertfError: for what was typed in, or is of no Python file: a change of it would not be noticed. For a file that
            is not what was imported any more.
    """
    file = str(getattr(module or inspect.getmodule(defined), "__file__", ""))
    if not file.endswith(".py"):
        raise SertfError(
            f"{defined.__name__} is in no Python file, so that a change of it would not be noticed; define it in one and "
            "import it."
        )
    found = digest(Path(file).read_bytes(), size=8)
    if _digests.setdefault(defined, found) != found:
        raise SertfError(f"{file} has changed since {defined.__name__} was imported from it; start Python anew.")
    return found


def check_plain(what: str, options: Mapping[str, Any]) -> None:
    """Raise SertfError for options that no manifest can hold; `what` names whose they are."""
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
