"""The trained models that the package brings along, by name."""

from pathlib import Path

from sertf.errors import SertfError, unknown

ROOT = Path(__file__).parents[1] / "saved_models"
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
