"""The trained models that ship with sertf, by name."""

from pathlib import Path

from sertf.errors import SertfError, unknown
from sertf.files import SHIPPED
from sertf.inference.card import Card, read_card

ROOT = SHIPPED
DEFAULT = "recognizer"


def names() -> list[str]:
    """Names of the bundled models: the default, then the others sorted."""
    found = (path.parent.name for path in ROOT.glob("*/saved_model.pb"))
    return sorted(found, key=lambda name: (name != DEFAULT, name))


class Presets(dict[str, str]):
    """The bundled models: name to one line on model, languages, emotions and score. Printed, one line each."""

    def __repr__(self):
        return "\n".join(f"{name:{max(map(len, self))}}  {line}" for name, line in self.items())


def presets() -> Presets:
    """The bundled models, the default first."""
    return Presets({name: _line(read_card(ROOT / name)) for name in names()})


def _line(card: Card) -> str:
    tested = card["held_out"]
    return (
        f"{card['model']['name']} on {card['front_end']['name']}; {', '.join(card['corpus']['languages'])}; "
        f"{len(card['emotions'])} emotions; UAR {tested['uar']:.2f}, {tested['speakers']} unseen speakers"
    )


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
