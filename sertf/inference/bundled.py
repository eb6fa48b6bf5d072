"""The trained models that the package brings along, by name."""

from pathlib import Path

from sertf.errors import SertfError, unknown

PACKAGE = Path(__file__).parents[1]
# In an installation beside the packages; in a checkout beside the package itself.
ROOT = next(place for place in (PACKAGE / "saved_models", PACKAGE.parent / "saved_models") if place.is_dir())
DEFAULT = "reslstm_sa_h64_ravdess"


def names() -> list[str]:
    """Names of the bundled models, sorted."""
    return sorted(path.parent.name for path in ROOT.glob("*/saved_model.pb"))


def folder_of(model: Path | str | None = None) -> Path:
    """The folder of a model.

    Args:
        model: name of a bundled one, or the folder of any exported one; None takes `DEFAULT`.

    Raises:
        SertfError: neither a bundled name nor anything on disk.
    """
    if model is None:
        return ROOT / DEFAULT
    if Path(model).exists():
        return Path(model)
    if str(model) in names():
        return ROOT / str(model)
    raise SertfError(f"{unknown('model', model, names())} Or give the folder of an exported one.")
