"""The contents of the JSON files of runs and of stored results: their keys, and which of them a reader needs.

Keys that are not required may be missing, in files of earlier versions or where they do not apply.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict

SPEAKER_KNOWN = "speaker-known"
"""The protocol that scales tested speakers by all of their own clips. With `-N` behind it, it takes N of them."""
PROTOCOLS = ("paper", "strict", SPEAKER_KNOWN)
"""The protocols of a variant that stand side by side, in their order."""

Published = dict[str, Any]
"""Scores of a paper by name: a number, or mean, standard deviation and best, None for what is not printed."""


class Named(TypedDict):
    """A front end or a model."""

    name: str
    options: NotRequired[dict[str, Any]]
    config: NotRequired[dict[str, Any]]
    pretrained: NotRequired[dict[str, str]]
    source: NotRequired[str]


class Audit(TypedDict, total=False):
    """The outcome of `sertf.protocols.audit.audit`."""

    verdict: str
    findings: list[str]


class Counts(TypedDict):
    """Amount of speech of one corpus in training or test."""

    utterances: int
    speakers: int
    languages: list[str]


class Across(TypedDict):
    """The corpora of a protocol that trains on one corpus and tests on others."""

    trained: dict[str, Counts]
    tested: dict[str, Counts]


class Facts(TypedDict):
    """experiment.json: facts of an experiment for its report, and all that decides its runs."""

    experiment: str
    variant: str
    protocol: str
    paper: str
    corpus: str
    repeats: int
    folds: list[str]
    emotions: list[str]
    audit: Audit
    digest: str
    audio_digest: NotRequired[str | None]
    table_digest: NotRequired[str]
    protocol_digest: NotRequired[str]
    front_end_digest: NotRequired[str]
    front_end: NotRequired[Named]
    model: NotRequired[Named]
    recipe: NotRequired[dict[str, Any] | None]
    epochs: NotRequired[int | None]
    seed: NotRequired[int]
    scaling: NotRequired[str]
    enrolment_clips: NotRequired[int]
    self_training: NotRequired[bool]
    scaled_each: NotRequired[str]
    watch_test: NotRequired[bool]
    augmentation: NotRequired[dict[str, Any]]
    teacher: NotRequired[dict[str, Any]]
    network: NotRequired[dict[str, Any]]
    merged: NotRequired[dict[str, str]]
    skipped: NotRequired[list[list[str]]]
    published: NotRequired[Published | None]
    others: NotRequired[dict[str, float] | None]
    remarks: NotRequired[list[str]]
    compared_with: NotRequired[list[str] | None]
    licence: NotRequired[str]
    utterances: NotRequired[int]
    speakers: NotRequired[int]
    languages: NotRequired[list[str]]
    across: NotRequired[Across | None]
    sample_rate: NotRequired[int | None]
    smoke: NotRequired[bool]


class Manifest(TypedDict, total=False):
    """manifest.json of a run: what decided it, and the software and machine it ran on."""

    experiment: str
    variant: str
    protocol: str
    corpus: str
    front_end: Named
    model: Named
    recipe: dict[str, Any] | None
    folds: str
    scaling: str
    enrolment_clips: int
    self_training: bool
    scaled_each: str
    watch_test: bool
    augmentation: dict[str, Any]
    teacher: dict[str, Any]
    network: dict[str, Any]
    merged: dict[str, str]
    table_digest: str
    protocol_digest: str
    front_end_digest: str
    digest: str
    audio_digest: str | None
    audit: Audit
    backend: str
    device: str
    onednn: str
    versions: dict[str, str]
    code: str
    repeat: int
    fold: str
    seed: int
    tested: int
    emotions: list[str]
    parameters: int | None
    best_epoch: int
    wall_seconds: float


PER_RUN = ("repeat", "fold", "seed", "tested", "wall_seconds", "best_epoch")
"""Entries of a manifest that count per run."""


class Manifests(TypedDict):
    """manifest.json of stored results: the entries that all runs share, and those of each run."""

    shared: Manifest
    runs: list[Manifest]


class Spread(TypedDict):
    """Mean and standard deviation of a score over repeats; one repeat has no deviation."""

    mean: float
    std: float | None


class Score(TypedDict):
    """A score of report.json. `low` and `high` are the interval over speakers, None where there is none."""

    name: str
    values: list[float]
    mean: float
    std: float | None
    best: float
    low: float | None
    high: float | None


class Tested(TypedDict):
    """Amount of tested speech."""

    utterances: int
    speakers: int


class Compared(TypedDict):
    """A variant compared with another: a difference, or the reason why there is none."""

    variant: str
    what: str
    reason: NotRequired[str]
    score: NotRequired[str]
    mean: NotRequired[float]
    std: NotRequired[float | None]
    difference: NotRequired[float]
    low: NotRequired[float]
    high: NotRequired[float]


class Summary(TypedDict):
    """report.json: the numbers of a report, from `sertf.reports.summary.summarise`."""

    facts: Facts
    scores: dict[str, Score]
    recall: dict[str, Spread]
    reproducibility: dict[str, float] | None
    tested: Tested
    runs: int
    seeds: list[int]
    wall_seconds: float
    parameters: int | None
    backend: str
    device: str
    beyond_plan: list[str]
    precision: NotRequired[dict[str, Spread]]
    f1: NotRequired[dict[str, Spread]]
    folds: NotRequired[dict[str, dict[str, Any]]]
    confusion: NotRequired[list[list[int]]]
    calibration: NotRequired[dict[str, Any]]
    groups: NotRequired[dict[str, dict[str, Any]]]
    by_corpus: NotRequired[dict[str, dict[str, Any]]]
    epoch_by_test: NotRequired[dict[str, Any]]
    epoch_by_test_wa: NotRequired[dict[str, Any]]
    last_epoch: NotRequired[dict[str, Any]]
    last_epoch_wa: NotRequired[dict[str, Any]]
    differing: NotRequired[list[str]]
    figures: NotRequired[list[list[str]]]
    compared: NotRequired[Compared | None]


class Asked(TypedDict):
    """The options of an overview; `sertf report --pages` uses them again."""

    references: list[str]
    score: str
    beside: list[str]
    by: str | None


class Overview(Asked):
    """overview.json of an experiment's stored results."""

    experiment: str
    variants: dict[str, dict[str, dict[str, Any]]]
    differences: list[dict[str, Any]]


def names_of(facts: Facts) -> tuple[str, str, str]:
    """The names of experiment, variant and protocol."""
    return facts.get("experiment", "?"), facts.get("variant", "?"), facts.get("protocol", "?")


def unsafe_names(facts: Facts) -> list[str]:
    """The names of experiment, variant, protocol and folds that are no name of one folder, such as `..` or `/tmp`.

    Paths are composed of them, so a name from a stranger could lead anywhere.

    >>> unsafe_names({"experiment": "../mine", "variant": "small", "protocol": "strict", "folds": ["fold-1"]})
    ['../mine']
    """
    names = [*names_of(facts), *facts.get("folds", ())]
    return [str(name) for name in names if not isinstance(name, str) or not _ONE_FOLDER.fullmatch(name)]


# No separator, no control character, no drive of Windows, and no dot in front: hidden folders are leftovers.
_ONE_FOLDER = re.compile(r"(?!\.|[A-Za-z]:)[^/\\\x00-\x1f\x7f]+")


def in_order(protocols: Iterable[str]) -> list[str]:
    """Names of protocols in the order of columns: `PROTOCOLS`, then others by name.

    >>> in_order(["speaker-known", "other", "strict"])
    ['strict', 'speaker-known', 'other']
    """
    return sorted(protocols, key=lambda name: (PROTOCOLS.index(name) if name in PROTOCOLS else len(PROTOCOLS), name))


def lacking(record: Any, content: Mapping[str, Any]) -> list[str]:
    """The required keys of a TypedDict that a file lacks, in order."""
    return [key for key in record.__annotations__ if key in record.__required_keys__ and key not in content]
