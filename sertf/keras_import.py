"""What happens when Keras is imported beside sertf: saved networks load, and other backends are refused in a sentence.

`keras.saving.load_model` finds a layer, loss or metric of sertf only once its module was imported. `import sertf` does not
import Keras. So a finder waits for Keras, and imports these modules right after it.
"""

import contextlib
import importlib
import importlib.abc
import sys

MODULES = ("sertf.layers", "sertf.losses", "sertf.metrics")
"""The modules whose classes stand in saved networks."""
_IMPORTING = (*MODULES, "sertf.features", "sertf.models")
"""The modules that import Keras at once."""


class _Finder(importlib.abc.MetaPathFinder):
    """Finds nothing itself. It checks the backend before a module of sertf imports Keras, and imports `MODULES` behind Keras."""

    def find_spec(self, name, path=None, target=None):
        if name in _IMPORTING:
            from sertf.parallel.environment import check_backend

            check_backend()
        if name != "keras" or path is not None:
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (finder.find_spec(name, None, target) for finder in others if hasattr(finder, "find_spec"))
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_register(module):
                load(module)
                _register()

            spec.loader.exec_module = load_and_register
        return spec


def _register():
    from sertf.errors import SertfError

    with contextlib.suppress(SertfError):  # another backend: the user's own Keras works on
        for name in MODULES:
            importlib.import_module(name)


def watch() -> None:
    """Let Keras load networks of sertf, now if it was imported already, else as soon as it is."""
    sys.meta_path.insert(0, _Finder())
    if "keras" in sys.modules:
        _register()
