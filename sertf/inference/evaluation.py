"""How good an exported model is on labelled recordings: scores, calibration, groups, and what other conditions cost.

`Recognizer.evaluate` gives an `Evaluation`. `sertf.inference.evaluation_page` writes it as a page with figures.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.audio.conditions import CONDITIONS, Condition
from sertf.audio.files import AudioError, check_rate, read_audio
from sertf.errors import SertfError, listing, unknown
from sertf.inference.card import Card, OtherCorpus, UnderConditions
from sertf.inference.speakers import SpeakerError, SpeakerStatistics, check_knows_speakers

if TYPE_CHECKING:
    import pandas as pd

    from sertf.inference.recognizer import Clips, Recognizer

SCORES = {"uar": "UAR", "wa": "WA", "macro_f1": "macro F1"}
"""The scores of an evaluation, by their keys, with the names that its page prints."""
GROUPINGS = ("gender", "intensity", "language", "corpus")
"""The columns of the utterance table that an evaluation is broken down by, where they hold two values or more."""
SPLITS = ("test",)
"""Parts of a table that can be kept alone: the speakers that the model was tested on."""
ENROLMENTS = {
    "each": "Each speaker was enrolled by all their clips here, without labels.",
    "all": "All speakers were enrolled by all clips here, without labels: each scaled by their own, the model trained on all.",
    "one": "All speakers of a corpus were enrolled as one, by all clips here, without labels.",
}
"""How known speakers are enrolled, and what a page says of it."""
AS_RECORDED = "as recorded"
_CLIPS = 64
_SAMPLES = 2**24
"""Clips, and samples of them, that memory holds at a time; 64 MiB."""


@dataclass(frozen=True)
class Score:
    """A score, and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class UnderCondition:
    """What a recording condition does to a model's answers.

    Attributes:
        condition: name in `sertf.audio.conditions.CONDITIONS`, or `AS_RECORDED`.
        uar: unweighted average recall.
        same: share of answers that are those to the clips as recorded.
        confidence: mean of the largest scores.
    """

    condition: str
    uar: float
    same: float
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """A model's results on labelled clips.

    Attributes:
        model: name of the model.
        corpora: names in the table's column corpus, sorted.
        emotions: of the model, in the order of the scores.
        present: those of them that the clips have.
        utterances, speakers: numbers of clips that were scored, and of their speakers.
        drawn: "speakers" or "clips": what the intervals draw anew.
        seen: clips of corpora that the model was trained on, but not of the speakers that it was tested on.
        held_out: clips of the speakers that it was tested on.
        enrolled: how speakers were enrolled by the clips that are scored, a key of `ENROLMENTS`, or "" where they were not;
            None if the model cannot enrol speakers.
        left_out: number of clips of each emotion that the model lacks.
        skipped: number of clips that could not be used.
        chance: UAR of guessing.
        scores: by the keys of `SCORES`, where the model answers any of its emotions.
        among_present: the same where it chooses among the emotions that the clips have.
        recall: by emotion.
        confusion: counts, rows the truth, columns the answer, in the order of `emotions`.
        calibration: as of `sertf.evaluation.calibration.calibration`.
        groups: by column, plain values of `sertf.evaluation.groups.Comparison`.
        conditions: one row a recording condition, the first as recorded; empty unless asked for.
        predictions: table of utterance, speaker, repeat, fold, truth and one column of scores an emotion.
        bad: (path, reason) of each clip that could not be used.
    """

    model: str
    corpora: list[str]
    emotions: list[str]
    present: list[str]
    utterances: int
    speakers: int
    drawn: str
    seen: int
    held_out: int
    enrolled: str | None
    left_out: dict[str, int]
    skipped: int
    chance: float
    scores: dict[str, Score]
    among_present: dict[str, Score]
    recall: dict[str, float]
    confusion: list[list[int]]
    calibration: dict[str, Any]
    groups: dict[str, dict[str, Any]]
    conditions: list[UnderCondition]
    predictions: "pd.DataFrame"
    bad: list[tuple[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """All but the predictions and the paths of bad clips, as plain values for JSON."""
        found = asdict(self)
        del found["predictions"], found["bad"]
        return found


def evaluate(
    model: "Recognizer",
    table: "pd.DataFrame",
    *,
    split: str | None = None,
    conditions: bool = False,
    known_speakers: str | None = None,
    by: Sequence[str] = (),
    skip_bad: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Score a model on labelled clips; `Recognizer.evaluate` describes it."""
    from sertf.evaluation import groups, scores
    from sertf.evaluation.calibration import calibration

    columns = _groupings(table, by)
    table = _of_split(model.card, table, split)
    table, left_out = labelled(model, table)
    asked = CONDITIONS if conditions else {}
    check_enrolment(model.card, table, known_speakers)
    scored, bad = _scored(model, table, asked, known_speakers, progress)
    if bad and (not skip_bad or len(bad) == len(table)):
        raise SertfError(
            f"{len(bad)} clips cannot be used; mend them, or continue without them with skip_bad=True (--skip-bad):\n"
            f"{listing(f'{path}: {reason}' for path, reason in bad)}"
        )
    usable = np.isfinite(scored[AS_RECORDED]).all(axis=1)
    table = table[usable].reset_index(drop=True)
    _check_emotions(model.emotions, table["emotion"])

    def predictions_of(values: np.ndarray) -> "pd.DataFrame":
        found = table[["utterance", "speaker"]].assign(repeat=0, fold="all", truth=table["emotion"])
        found[model.emotions] = values[usable]
        return found

    predictions = predictions_of(scored.pop(AS_RECORDED))
    present = [emotion for emotion in model.emotions if emotion in set(table["emotion"])]
    absent = [emotion for emotion in model.emotions if emotion not in present]
    by_clip = table["speaker"].nunique() in (1, len(table))
    clustered = predictions.assign(speaker=predictions["utterance"]) if by_clip else predictions
    answers = scores.predicted(predictions)
    rows = [_under(AS_RECORDED, predictions, answers)] if conditions else []
    rows += [_under(name, predictions_of(values), answers) for name, values in scored.items()]
    grouped = groups.groups_of(table, columns)
    seen, held_out = seen_clips(model.card, table)
    return Evaluation(
        model=model.card["name"],
        corpora=sorted(set(table["corpus"])),
        emotions=list(model.emotions),
        present=present,
        utterances=len(table),
        speakers=int(table["speaker"].nunique()),
        drawn="clips" if by_clip else "speakers",
        seen=seen,
        held_out=held_out,
        enrolled=known_speakers or "" if model.knows_speakers else None,
        left_out=left_out,
        skipped=len(bad),
        chance=1 / len(present),
        scores=_scores(clustered),
        among_present=_scores(clustered.drop(columns=absent)),
        recall=scores.recall_per_class(predictions["truth"], answers, model.emotions),
        confusion=scores.confusion_matrix(predictions["truth"], answers, model.emotions).tolist(),
        calibration=calibration(predictions),
        groups={}
        if grouped is None
        else {
            column: asdict(groups.compare(clustered, dict(zip(grouped["utterance"], grouped[column]))))
            for column in grouped.columns[1:]
        },
        conditions=rows,
        predictions=predictions,
        bad=bad,
    )


def check_for_card(
    card: Card, table: "pd.DataFrame", *, split: str | None, conditions: bool, known_speakers: str | None
) -> None:
    """Raise a `SertfError` unless an evaluation may stand in the model's card: no clip may have trained it."""
    table = _of_split(card, table, split)
    seen, held_out = seen_clips(card, table)
    if seen:
        raise SertfError(
            f"{card['name']} may have been trained on {seen} of the {len(table)} clips, so the scores may not stand in its "
            "card; add --split test, or give other corpora."
        )
    if 0 < held_out < len(table):
        raise SertfError(
            f"{held_out} of the {len(table)} clips are of speakers that {card['name']} was tested on; give these and other "
            "corpora one after the other."
        )
    if held_out and not conditions:
        raise SertfError("The card has the score of the tested speakers already; add --conditions to write them too.")
    if known_speakers not in (None, "all"):
        raise SertfError("The card states speakers who were enrolled by all clips; give --known-speakers all.")
    if known_speakers and not held_out:
        raise SertfError("The card states other corpora for unknown speakers alone; leave --known-speakers out.")


def card_with(card: Card, found: Evaluation) -> Card:
    """A model's card with an evaluation that `check_for_card` lets through.

    The tested speakers' conditions replace those in the card, where enrolled those of known speakers. Another corpus
    replaces its own row.
    """
    if found.held_out:
        under: UnderConditions = {
            "utterances": found.utterances,
            "speakers": found.speakers,
            "rows": [asdict(row) for row in found.conditions],
        }
        if found.enrolled:
            return {**card, "known_speakers": {**card["known_speakers"], "conditions": under}}
        return {**card, "conditions": under}
    row: OtherCorpus = {
        "utterances": found.utterances,
        "speakers": found.speakers,
        "emotions": len(found.present),
        "uar": found.scores["uar"].value,
        "low": found.scores["uar"].low,
        "high": found.scores["uar"].high,
        "drawn": found.drawn,
        "ece": found.calibration["values"]["ece"][0],
    }
    return {**card, "other_corpora": {**card.get("other_corpora", {}), "+".join(found.corpora): row}}


def labelled(model: "Recognizer", table: "pd.DataFrame") -> tuple["pd.DataFrame", dict[str, int]]:
    """The clips whose emotions a model knows, and the number of the others by emotion.

    Emotions that the model's training counted as others count as these here too.

    Raises:
        SertfError: the clips left have fewer than two emotions.
    """
    emotion = table["emotion"].replace(model.card["corpus"]["merged"])
    known = emotion.isin(model.emotions)
    left_out = {str(name): int(count) for name, count in table.loc[~known, "emotion"].value_counts().items()}
    kept = table.assign(emotion=emotion)[known].reset_index(drop=True)
    _check_emotions(model.emotions, kept["emotion"])
    return kept, left_out


def seen_clips(card: Card, table: "pd.DataFrame") -> tuple[int, int]:
    """Number of clips of a model's training corpora beyond its tested speakers, and of clips of these speakers."""
    tested = table["speaker"].isin(card["held_out"].get("names", ()))
    trained = table["corpus"].map(_corpus).isin({_corpus(name) for name in training_corpora(card)})
    return int((trained & ~tested).sum()), int(tested.sum())


def training_corpora(card: Card) -> list[str]:
    """Names of the corpora that a model was trained on."""
    return list(card["corpus"].get("names") or card["corpus"]["name"].split("+"))


def _corpus(name: str) -> str:
    """The name of a corpus, without the suffix of a single language."""
    from sertf.corpora import CORPORA

    base = name.partition("_")[0]
    return base if base in CORPORA else name


def _groupings(table: "pd.DataFrame", by: Sequence[str]) -> tuple[str, ...]:
    absent = [column for column in by if column not in table]
    if absent:
        raise SertfError(unknown("column of the table", absent[0], map(str, table.columns)))
    return tuple(dict.fromkeys((*GROUPINGS, *by)))


def _of_split(card: Card, table: "pd.DataFrame", split: str | None) -> "pd.DataFrame":
    """The clips of a part of the table; all without a split."""
    if split is None:
        return table
    if split not in SPLITS:
        raise SertfError(unknown("split", split, SPLITS))
    names = card["held_out"].get("names")
    if not names:
        raise SertfError(
            f"The card of {card['name']} names no speakers that were tested and not trained on; leave --split out, or "
            "export the model again."
        )
    kept = table[table["speaker"].isin(names)].reset_index(drop=True)
    if kept.empty:
        raise SertfError(
            f"None of the clips is of a speaker that {card['name']} was tested on ({', '.join(names[:5])}"
            f"{', …' if len(names) > 5 else ''}); leave --split out, or give its own corpora."
        )
    return kept


def _check_emotions(known: Sequence[str], given: "pd.Series") -> None:
    found = sorted(set(given))
    if len(found) < 2:
        raise SertfError(
            f"The clips must have 2 or more of the model's emotions ({', '.join(known)}), but have "
            f"{', '.join(found) or 'none'} of them; give other clips, or another --model."
        )


def check_enrolment(card: Card, table: "pd.DataFrame", known_speakers: str | None) -> None:
    """Raise a `SertfError` unless a model can enrol the speakers of a table, in the way of `ENROLMENTS` that is asked for."""
    from sertf.corpora.utterances import unknown_speakers

    if known_speakers is None:
        return
    if known_speakers not in ENROLMENTS:
        raise SertfError(unknown("way to enrol known_speakers", known_speakers, ENROLMENTS))
    check_knows_speakers(card)
    if known_speakers != "one" and unknown_speakers(table):
        raise SertfError(
            "The speakers of the clips are unknown; name them with --speakers to enrol them, or enrol all as one with "
            "--known-speakers one."
        )


def _scored(
    model: "Recognizer",
    table: "pd.DataFrame",
    conditions: dict[str, Condition],
    known_speakers: str | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[str, np.ndarray], list[tuple[str, str]]]:
    """Scores (clips, emotions) by condition, NaN in all of them for a clip that cannot be used, and (path, reason) of these.

    Every clip is read once, and once more for each enrolment.
    """
    found = {name: np.full((len(table), len(model.emotions)), np.nan) for name in (AS_RECORDED, *conditions)}
    bad: list[tuple[int, str, str]] = []
    done, total = 0, len(found) * len(table)
    paths = table["path"].astype(str).to_numpy()
    column = "corpus" if known_speakers == "one" else "speaker"
    parts = {"": np.arange(len(table))}
    enrolled: dict[str, dict[str, SpeakerStatistics]] = {}
    if known_speakers is not None:
        parts = {f"{column} {name}": part for name, part in table.groupby(column, sort=False).indices.items()}
        clips_of = {whom: paths[part] for whom, part in parts.items()}
        groups = [clips_of] if known_speakers == "all" else [{whom: own} for whom, own in clips_of.items()]
        for name in found:
            each = (_enrolled(model, group, conditions.get(name)) for group in groups)
            enrolled[name] = {whom: one for together in each for whom, one in together.items()}
    for whom, part in parts.items():
        for places, clips in _read([(place, paths[place]) for place in part.tolist()], model.card, bad):
            for name in found:
                altered = clips if name == AS_RECORDED else _altered(clips, conditions[name])
                found[name][places] = model.score(altered, speaker=enrolled.get(name, {}).get(whom))
                done += len(places)
                if progress is not None:
                    progress(done, total)
    failed = {place for place, *_ in bad}
    for name, values in found.items():
        for place in np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist():
            if place not in failed:
                failed.add(place)
                bad.append(
                    (place, str(table["path"].iloc[place]), f"the model has no score for it {name}; leave it out")
                )
    for values in found.values():
        values[list(failed)] = np.nan
    return found, [(path, reason) for _, path, reason in sorted(bad)]


def _enrolled(
    model: "Recognizer", paths: Mapping[str, Iterable[str]], condition: Condition | None
) -> "dict[str, SpeakerStatistics]":
    """Statistics of speakers, or of corpora, by those of their clips that can be used; none of those without any."""
    heard: dict[str, Iterable] = {}
    for whom, files in paths.items():
        usable = _usable(model, files, condition)
        first = next(usable, None)
        if first is not None:
            heard[whom] = itertools.chain([first], usable)
    try:
        return model.enroll_all(heard)
    except SpeakerError as error:
        raise SertfError(f"The {error}") from error


def _usable(model, paths, condition):
    """The clips that can be read, each under the condition."""
    for _, clips in _read(enumerate(paths), model.card, []):
        yield from clips if condition is None else _altered(clips, condition)


def _altered(clips: "Clips", condition: Condition) -> "Clips":
    return [(condition(samples, rate, _drawn_by(samples)).astype(np.float32), rate) for samples, rate in clips]


def _drawn_by(samples: np.ndarray) -> np.random.Generator:
    """A clip's noise and room are its own, whatever clips stand before it."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(samples.tobytes()).digest()[:8], "little"))


def _read(
    files: Iterable[tuple[int, str]], card: Card, bad: list[tuple[int, str, str]]
) -> Iterator[tuple[list[int], "Clips"]]:
    """Yield (places, clips) of a few (place, path) at a time; those that cannot be used join `bad`."""
    places: list[int] = []
    clips: list[tuple[np.ndarray, int]] = []
    for place, path in files:
        try:
            samples, rate = read_audio(path)
            check_rate(rate, path, card["sample_rates"])
            if len(samples) / rate < card["minimum_seconds"]:
                raise AudioError(
                    path, f"too short: this model needs {card['minimum_seconds']:g} s or more; leave it out"
                )
        except AudioError as error:
            bad.append((place, path, error.reason))
            continue
        places.append(place)
        clips.append((samples, rate))
        if len(clips) == _CLIPS or sum(len(samples) for samples, _ in clips) >= _SAMPLES:
            yield places, clips
            places, clips = [], []
    if clips:
        yield places, clips


def _scores(predictions: "pd.DataFrame") -> dict[str, Score]:
    from sertf.evaluation import scores
    from sertf.evaluation.statistics import clustered_bootstrap

    answers, found = scores.predicted(predictions), {}
    for key in SCORES:
        low, high = clustered_bootstrap(predictions, score=key)
        found[key] = Score(getattr(scores, key)(predictions["truth"], answers), low, high)
    return found


def _under(name: str, predictions: "pd.DataFrame", as_recorded: np.ndarray) -> UnderCondition:
    from sertf.evaluation import scores

    answers = scores.predicted(predictions)
    largest = predictions[scores.score_columns(predictions)].to_numpy(dtype=float).max(axis=1)
    return UnderCondition(
        condition=name,
        uar=scores.uar(predictions["truth"], answers),
        same=float(np.mean(answers == as_recorded)),
        confidence=float(largest.mean()),
    )
