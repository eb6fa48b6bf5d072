"""The trained models that ship with sertf, by name."""

from pathlib import Path

from sertf.errors import SertfError, unknown

PACKAGE = Path(__file__).parents[1]
# An installation has them beside the packages, a checkout beside the package itself.
ROOT = next(place for place in (PACKAGE / "saved_models", PACKAGE.parent / "saved_models") if place.is_dir())
DEFAULT = "recognizer"


def names() -> list[str]:
    """Names of the bundled models, sorted."""
    return sorted(path.parent.name for path in ROOT.glob("*/saved_model.pb"))


def folder_of(model: Path | str | None = None) -> Path:
    """The folder of a model.

    Args:
        model: name of a bundled model, or the folder of any exported one; None uses `DEFAULT`.

    Raises:
        SertfError: neither a bundled name nor an existing path.
    """
    if model is None:
        return ROOT / DEFAULT
    if Path(model).exists():
        return Path(model)
    if str(model) in names():
        return ROOT / str(model)
    raise SertfError(f"{unknown('model', model, names())} Or give the folder of an exported model.")
