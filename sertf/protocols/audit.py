"""The leakage audit: what the parts of a fold share although they must not.

It checks every fold for a speaker, an utterance, a duplicate waveform, overlapping segments of a recording or an augmented
copy's parent on both sides. It
looks for utterances tested twice, training parts without an emotion, and recordings that stand several times. An
undeclared leak raises `LeakageError`. Declared leaks, emotions that other parts lack, shared sentences and doubtful
labels become findings, stored with each result.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.audio.segments import overlapping
from sertf.corpora.utterances import unknown_speakers
from sertf.errors import SertfError
from sertf.protocols.folds import Fold

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 5


class LeakageError(SertfError):
    """Parts of a fold share what the protocol does not allow."""


@dataclass(frozen=True)
class Audit:
    """The outcome of an audit.

    Attributes:
        verdict: "clean", or the declared leaks, such as "leaks by declaration: speaker, scaling".
        findings: one sentence each.
    """

    verdict: str
    findings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The audit as plain values, for JSON."""
        return {**asdict(self), "findings": list(self.findings)}


def audit(
    folds: Sequence[Fold],
    table: "pd.DataFrame",
    *,
    allows: Collection[str] = frozenset(),
    audio_digests: Mapping[str, str] | None = None,
    declared: Iterable[tuple[str, str]] = (),
) -> Audit:
    """Check every fold; raise on leaks that are not allowed, report the others.

    Args:
        folds: list of `sertf.protocols.splits.Fold`.
        table: utterance table; a column `parent` (utterance id or empty) marks augmented copies.
        allows: what the protocol declares, of "speaker" and "no validation".
        audio_digests: utterance id to digest of the decoded audio; None skips the search for duplicate waveforms.
        declared: (name, sentence) pairs of further leaks that the experiment declares, such as scaling on all rows or tuning
            on test parts. They enter verdict and findings.

    Returns:
        Audit.

    Raises:
        LeakageError: all undeclared leaks of all folds, with the culprits.
    """
    rows = table.set_index("utterance")
    errors: list[str] = []
    findings: list[str] = []
    leaks: list[str] = []
    columns: dict[str, Mapping[str, Any]] = {}
    if unknown_speakers(table):
        leaks.append("speakers unknown")
        findings.append(
            "The speakers are unknown. Training and test may share them, so the scores show nothing about new speakers"
        )
    else:
        columns["speaker"] = rows["speaker"].to_dict()
    if audio_digests is not None:
        columns["duplicate waveform"] = dict(audio_digests)
    shared_parts = overlapping(rows["path"].to_dict()) if "path" in rows else {}
    if shared_parts:
        columns["overlapping segment"] = shared_parts
    if "parent" in rows:
        columns["augmented parent"] = {u: (p if isinstance(p, str) and p else u) for u, p in rows["parent"].items()}
    # Corpora name their sentences independently.
    spoken = {u: (corpus, name) for u, corpus, name in zip(rows.index, rows["corpus"], rows["sentence"]) if name}
    keys = {name: _Keys(map(key_of.get, rows.index)) for name, key_of in columns.items()}
    sentences = _Keys(map(spoken.get, rows.index))
    row_of = {utterance: row for row, utterance in enumerate(rows.index)}
    emotions = _Keys(rows["emotion"])
    untrained: dict[str, str] = {}
    tested: dict[str, str] = {}
    misplaced: list[str] = []
    shared_sentences = 0
    for fold in folds:
        parts = _Parts(fold, row_of)
        misplaced += _misplaced(fold, parts, row_of, tested)
        if misplaced:
            continue
        for name, key_of in columns.items():
            for first, second, shared in keys[name].overlaps(parts):
                # A digest means nothing to a reader. Name the utterances of both parts behind it.
                culprits = shared
                if name in ("duplicate waveform", "augmented parent"):
                    both = (*fold.parts[first], *fold.parts[second])
                    culprits = [" and ".join(u for u in both if key_of.get(u) == key) for key in shared]
                if name == "overlapping segment":
                    ends = [
                        [next(u for u in fold.parts[part] if key_of.get(u) == key) for part in (first, second)]
                        for key in shared
                    ]
                    culprits = [" and ".join(pair) for pair in ends]
                sentence = f"{fold.name}: {first} and {second} share {len(shared)} {name}s ({_listed(culprits)})"
                if name == "duplicate waveform":
                    sentence += "; keep one of each in the table"
                if name == "overlapping segment":
                    sentence += "; part their times, or keep one of them in the table"
                if name in allows:
                    leaks.append(name)
                    findings.append(sentence)
                else:
                    errors.append(sentence)
        _check_parts(fold, allows, errors, findings)
        shared_sentences += any((first, second) == ("train", "test") for first, second, _ in sentences.overlaps(parts))
        for emotion in emotions.untrained(parts):
            untrained.setdefault(emotion, fold.name)
    if misplaced:
        raise LeakageError(_sentence(misplaced))
    findings += absent_emotions(folds, rows["emotion"])
    errors += _never_trained(untrained, folds, rows)
    if errors:
        raise LeakageError(_sentence(errors))
    findings += _repeated_recordings(rows, audio_digests or {})
    if shared_sentences:
        findings.append(f"{shared_sentences} of {len(folds)} folds train and test on the same sentences")
    for name, sentence in declared:
        leaks.append(name)
        findings.append(sentence)
    verdict = f"leaks by declaration: {', '.join(dict.fromkeys(leaks))}" if leaks else "clean"
    return Audit(verdict, tuple(findings))


class _Parts:
    """The parts of a fold as rows of the table. What trains is known by what does not: nearly all train in most folds.

    Attributes:
        apart: whether every utterance is known and stands once. Otherwise there are no rows.
        trains: whether there is a training part.
        validation, test, untrained: rows, the last ones those of the table that do not train.
    """

    def __init__(self, fold, row_of):
        held_out = frozenset((*fold.validation, *fold.test))
        untrained = row_of.keys() - fold.train
        self.apart = (
            len(untrained) == len(row_of) - len(fold.train)
            and len(held_out) == len(fold.validation) + len(fold.test)
            and held_out <= untrained
        )
        if self.apart:
            self.trains = bool(fold.train)
            self.validation, self.test, self.untrained = (
                np.fromiter(map(row_of.get, ids), int, len(ids)) for ids in (fold.validation, fold.test, untrained)
            )


class _Keys:
    """A key of each utterance, such as its speaker, and which of them stand in a part of a fold.

    Args:
        keys: of the table's rows; None for a row that has none.
    """

    def __init__(self, keys):
        import pandas as pd

        self.codes, self.keys = pd.factorize(np.fromiter(keys, object))
        self.total = self._counts(np.arange(len(self.codes)))

    def _counts(self, rows):
        codes = self.codes[rows]
        return np.bincount(codes[codes >= 0], minlength=len(self.keys))

    def untrained(self, parts):
        """The sorted keys that the training part lacks, of a fold that has one."""
        trained = self.total > self._counts(parts.untrained)
        return sorted(self.keys[~trained]) if parts.trains else []

    def overlaps(self, parts):
        """(part, other part, sorted keys that both have) of every pair of parts that share some."""
        validation, test = self._counts(parts.validation) > 0, self._counts(parts.test) > 0
        train = self.total > self._counts(parts.untrained)
        pairs = ("train", "validation", train & validation), ("train", "test", train & test)
        for first, second, shared in (*pairs, ("validation", "test", validation & test)):
            if shared.any():
                yield first, second, sorted(self.keys[shared])


def _misplaced(fold, parts, row_of, tested):
    """Sentences on utterances that are unknown, stand in two places, or are in `tested` (utterance to fold) already."""
    errors = []
    if not parts.apart:
        for part, ids in fold.parts.items():
            unknown = [u for u in ids if u not in row_of]
            if unknown:
                errors.append(f"{fold.name}: {part} names utterances that the table lacks ({_listed(unknown)})")
        errors += _repeated(fold)
    twice = [u for u in fold.test if u in tested]
    if twice:
        errors.append(f"{fold.name} tests utterances that {tested[twice[0]]} tests too ({_listed(twice)})")
    tested.update(dict.fromkeys(fold.test, fold.name))
    return errors


def _repeated(fold):
    errors, seen = [], {}
    for part, ids in fold.parts.items():
        for utterance in ids:
            if utterance in seen:
                errors.append(f"{fold.name}: utterance {utterance} stands in {seen[utterance]} and in {part}")
            seen[utterance] = part
    return errors


def _repeated_recordings(rows, digests):
    """Findings on recordings that the table holds several times: with one emotion, and with several.

    Of several emotions at most one can be right.
    """
    found: dict[str, list[str]] = {}
    parents = rows["parent"] if "parent" in rows else [""] * len(rows)
    for utterance, parent in zip(rows.index, parents):
        # An augmented copy may leave the recording as it is.
        if utterance in digests and not (isinstance(parent, str) and parent):
            found.setdefault(digests[utterance], []).append(utterance)
    several = [names for names in found.values() if len(names) > 1]
    emotion_of = rows["emotion"]
    doubtful = [names for names in several if len(set(emotion_of[names])) > 1]
    alike = [names for names in several if len(set(emotion_of[names])) == 1]
    said = ((alike, "recordings stand several times"), (doubtful, "recordings stand under several emotions"))
    return [f"{len(them)} {what} ({_listed([' and '.join(n) for n in them])})" for them, what in said if them]


def _check_parts(fold, allows, errors, findings):
    for part, ids in fold.parts.items():
        if ids:
            continue
        if part == "validation" and "no validation" in allows:
            findings.append(f"{fold.name}: no validation part; nothing is chosen by held-out data")
        elif part == "validation":
            errors.append(
                f"{fold.name}: its validation part is empty; hold speakers out, or use the protocol's -all form, which "
                "has no such part"
            )
        else:
            errors.append(f"{fold.name}: its {part} part is empty; add speakers")


def absent_emotions(folds: Iterable[Fold], emotion_of: "pd.Series") -> list[str]:
    """Sentences on emotions that a validation or test part lacks; its scores are over the others.

    Args:
        folds: the folds.
        emotion_of: emotions of all utterances, by utterance.
    """
    known = emotion_of.to_dict()
    expected, sentences = set(known.values()), []
    for fold in folds:
        for part in ("validation", "test"):
            ids = fold.parts[part]
            absent = sorted(expected.difference(known[u] for u in ids if u in known)) if ids else []
            if absent:
                sentences.append(f"{fold.name}: its {part} part has no utterance of {_listed(absent)}")
    return sentences


def untrained_emotions(folds: Iterable[Fold], emotion_of: "pd.Series") -> dict[str, str]:
    """The emotions that some training part lacks, each with the name of the first such fold.

    Args:
        folds: the folds; those without a training part are left out.
        emotion_of: emotions of all utterances, by utterance.
    """
    keys, row_of = _Keys(emotion_of), {utterance: row for row, utterance in enumerate(emotion_of.index)}
    lacking: dict[str, str] = {}
    for fold in folds:
        for emotion in keys.untrained(_Parts(fold, row_of)):
            lacking.setdefault(emotion, fold.name)
    return lacking


def _never_trained(lacking, folds, rows):
    """A sentence on each emotion that a training part lacks: a model cannot learn it."""
    if not lacking:
        return []
    emotion_of = rows["emotion"]
    kept = set(emotion_of) - set(lacking)
    # Leaving emotions out helps only where something to tell apart remains in every part.
    helps = len(kept) > 1 and all(kept & set(emotion_of.reindex(list(ids))) for f in folds for ids in (f.train, f.test))
    mend = "add utterances of it by other speakers" + (", or leave the emotion out" if helps else "")
    speakers = rows.groupby("emotion")["speaker"].nunique()
    return [
        f"{fold}: its train part has no utterance of {emotion}, which {speakers[emotion]} speakers have; {mend}"
        for emotion, fold in lacking.items()
    ]


def _listed(items):
    shown = ", ".join(str(item) for item in items[:_LISTED])
    return shown if len(items) <= _LISTED else f"{shown} and {len(items) - _LISTED} more"


def _sentence(errors):
    more = "" if len(errors) <= 20 else f"\n  and {len(errors) - 20} more"
    return "The folds leak or are incomplete:\n  " + "\n  ".join(errors[:20]) + more
