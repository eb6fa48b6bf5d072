"""Papers: every fact of a published system in one file, from its citation to its experiments.

`PAPERS` maps a name to a module. A module has `CITATION`, and `EXPERIMENTS`, functions by the names of their experiments.
In these names CORPUS stands for one of its `CORPORA`. `SYSTEMS` tells how its models train on other data, and `SPACES`
what `sertf tune` searches. A new paper is one file and one line here.
"""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sertf.corpora.selection import CHOICES
from sertf.errors import SertfError, unknown
from sertf.experiment.description import Experiment, Variant
from sertf.papers import (
    attentive_cnn,
    cnn_transformer,
    functionals,
    reslstm_sa,
    serct,
    speechnet,
    wavelet_cnn_lstm,
    whisper,
)

PAPERS = {
    "reslstm_sa": reslstm_sa,
    "speechnet": speechnet,
    "cnn_transformer": cnn_transformer,
    "wavelet_cnn_lstm": wavelet_cnn_lstm,
    "serct": serct,
    "attentive_cnn": attentive_cnn,
    "functionals": functionals,
    "whisper": whisper,
}
SPACES = {name: space for paper in PAPERS.values() for name, space in paper.SPACES.items()}
"""Search spaces by name."""


@dataclass(frozen=True)
class Found:
    """An experiment by its name.

    Attributes:
        experiment: what `sertf.experiment.run` trains.
        about: what it trains, its command, its time and the scores to expect.
    """

    experiment: Experiment
    about: str


def find(name: str) -> Found:
    """Look an experiment up by its name, such as "speechnet_emodb" or "serct_zero_shot_ravdess_to_emodb".

    Raises:
        SertfError: an unknown name; the message offers the nearest.
    """
    for paper in PAPERS.values():
        for pattern, make in paper.EXPERIMENTS.items():
            corpora = _corpora_in(name, pattern, paper.CORPORA)
            if corpora is not None:
                return Found(make(*corpora), inspect.getdoc(make) or "")
    patterns = [pattern for paper in PAPERS.values() for pattern in paper.EXPERIMENTS]
    raise SertfError(unknown("experiment", name, names(), listed=patterns))


def titles(name: str) -> dict[str, str]:
    """The titles of an experiment's variants by their names; none for an experiment of nobody's paper."""
    return {variant: chosen.title for variant, chosen in _variants(name).items()}


def headlines(name: str) -> list[str]:
    """Names of an experiment's headline variants; none for an experiment of nobody's paper."""
    return [variant for variant, chosen in _variants(name).items() if chosen.headline]


def names() -> list[str]:
    """Names of all experiments; zero-shot ones with a single corpus that is tested."""
    found = []
    for paper in PAPERS.values():
        for pattern in paper.EXPERIMENTS:
            made = [pattern]
            for place in ("CORPUS", "CORPORA"):
                made = [
                    name.replace(place, corpus) for name in made for corpus in paper.CORPORA if place in name
                ] or made
            found += [name for name in made if _corpora_in(name, pattern, paper.CORPORA) is not None]
    return found


def _variants(name: str) -> Mapping[str, Variant]:
    try:
        return find(name).experiment.variants
    except SertfError:
        return {}


def _corpora_in(name: str, pattern: str, corpora: tuple[str, ...]) -> tuple | None:
    """The corpora that stand in a name where its pattern has CORPUS, and CORPORA for a tuple; None if it does not fit."""
    match = re.fullmatch(pattern.replace("CORPUS", "(.+)").replace("CORPORA", "(.+)"), name)
    if match is None:
        return None
    if not pattern.endswith("CORPORA"):
        return match.groups() if set(match.groups()) <= set(corpora) else None
    trained, tested = match[1], _split(match[2])
    named = (trained, *tested)
    whole = [corpus.partition("_")[0] for corpus in named if "_" in corpus]
    fits = set(named) <= set(corpora) and len(set(named)) == len(named) and not set(whole) & set(named)
    return (trained, tested) if fits and list(tested) == sorted(tested) else None


def _split(joined: str) -> tuple[str, ...]:
    """Names of corpora and of their languages that "_" joins: "emodb_esd_zh" holds emodb and esd_zh."""
    parts, found = joined.split("_"), []
    while parts:
        size = 2 if "_".join(parts[:2]) in CHOICES else 1
        found.append("_".join(parts[:size]))
        parts = parts[size:]
    return tuple(found)
