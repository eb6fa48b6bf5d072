"""Model cards: the facts of an exported model, kept as JSON in its folder. `sertf.inference.card_page` writes their page."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, cast

from sertf.errors import SertfError
from sertf.files import CHECKSUMS, faults_by_checksums
from sertf.runs.facts import Audit, lacking

if TYPE_CHECKING:
    from sertf.inference.recordings import Recordings

CARD = "model_card.json"
MAKER = "sertf"
_MEND = "export one with `sertf export RUNS FOLDER`, or sertf.export.saved_model.save"


class ModelError(SertfError):
    """A folder without an exported model."""


class Calibration(TypedDict):
    """The temperature of an exported model's scores, and the ECE of its test part before and after it.

    It was fitted on validation clips, or `by_others`: on the other folds' test clips, scored by those folds' models. Where
    models that never met a clip's corpus scored it too, it was fitted on both; `ece_left_out` is of the latter.
    """

    temperature: float
    utterances: int
    speakers: int
    ece_before: float
    ece: float
    by_others: NotRequired[bool]
    ece_left_out: NotRequired[float]


class UnderConditions(TypedDict):
    """The tested clips under recording conditions: rows of condition, uar, same and confidence."""

    utterances: int
    speakers: int
    rows: list[dict[str, Any]]


class KnownSpeakers(TypedDict):
    """How a model of known speakers was trained, and the digest of the model that a speaker's statistics name.

    `self_training` is there where clips of a speaker train the network too. Where a network of its own scores them, there
    are its test scores `held_out`, and with a calibration their `ece` and the `threshold` of certain answers. Without a
    threshold the other network's counts. `conditions` is of enrolled speakers; only `sertf evaluate --card` writes it.
    """

    model: str
    clips: int | None
    trained: int
    self_training: NotRequired[bool]
    held_out: NotRequired[dict[str, float]]
    ece: NotRequired[float]
    threshold: NotRequired[float]
    conditions: NotRequired[UnderConditions]


class Certainty(TypedDict):
    """The threshold of certain answers, chosen for a precision on the clips that the temperature was fitted on.

    `validation` (of these clips), `test` and `left_out` (by models that never met the clip's corpus) give the share of
    clips that stay certain, and the share of these that are right (None without any).
    """

    threshold: float
    precision: float
    validation: tuple[float, float | None]
    test: tuple[float, float | None]
    left_out: NotRequired[tuple[float, float | None]]


class OtherCorpus(TypedDict):
    """The score on a corpus that no clip of training is of; `drawn` names what the interval draws anew."""

    utterances: int
    speakers: int
    emotions: int
    uar: float
    low: float
    high: float
    drawn: str
    ece: float


class Card(TypedDict):
    """model_card.json. Cards of earlier versions lack the entries that are not required."""

    name: str
    paper: str
    protocol: str
    model: dict[str, Any]
    front_end: dict[str, Any]
    emotions: list[str]
    sample_rate: int
    sample_rates: list[int]
    minimum_seconds: float
    outputs: dict[str, str]
    corpus: dict[str, Any]
    run: dict[str, Any]
    held_out: dict[str, Any]
    over_repeats: dict[str, Any] | None
    audit: Audit
    versions: dict[str, dict[str, str]]
    made_by: NotRequired[str]
    format: NotRequired[int]
    experiment: NotRequired[str]
    variant: NotRequired[str]
    litert: NotRequired[dict[str, Any]]
    onnx: NotRequired[dict[str, Any]]
    calibration: NotRequired[Calibration]
    known_speakers: NotRequired[KnownSpeakers]
    recordings: NotRequired["Recordings"]
    conditions: NotRequired[UnderConditions]
    other_corpora: NotRequired[dict[str, OtherCorpus]]
    certainty: NotRequired[Certainty]
    smoke: NotRequired[bool]


def read_card(path: Path) -> Card:
    """The model card of an exported model, without loading the model.

    Raises:
        ModelError: as `sertf.inference.recognizer.load`.
    """
    if path.is_file():
        raise ModelError(f"{path} is a file; give the folder of an exported model.")
    if not path.is_dir():
        raise ModelError(f"{path}: no such folder; give the folder of an exported model.")
    if not (path / "saved_model.pb").is_file():
        raise ModelError(f"{path} is not a SavedModel (it holds no saved_model.pb); {_MEND}.")
    try:
        card = cast(Card, json.loads((path / CARD).read_text(encoding="utf-8")))
        ours = card["made_by"] == MAKER
    except FileNotFoundError:
        ours = False
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path / CARD} cannot be read ({error}); export the model again.") from error
    if not ours:
        raise ModelError(f"{path} is a SavedModel that sertf did not export; {_MEND}.")
    missing = lacking(Card, card)
    if missing:
        raise ModelError(f"{path / CARD} lacks {', '.join(missing)}; export the model again.")
    return card


def check_intact(path: Path) -> None:
    """Compare the files of an exported model, but for its card, with the checksums from its export.

    Raises:
        ModelError: naming the files that are missing or have changed, the checksums among them.
    """
    try:
        faults = faults_by_checksums(path)
    except (OSError, ValueError) as error:
        faults = [f"{CHECKSUMS} cannot be read: {error}"]
    if faults:
        raise ModelError(f"{path} is damaged ({', '.join(faults)}); copy it again, or export the model again.")
