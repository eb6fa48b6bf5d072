"""The leakage audit: what the parts of a fold share although they must not.

It checks every fold for a speaker, an utterance, a duplicate waveform or an augmented copy's parent on both sides. It
looks for utterances tested twice, training parts without an emotion, and recordings labelled with several emotions. An
undeclared leak raises `LeakageError`. Declared leaks, emotions that other parts lack, shared sentences and doubtful
labels become findings, stored with each result.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

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
    _check_ids(folds, rows, errors)
    if errors:
        raise LeakageError(_sentence(errors))
    columns = {"speaker": rows["speaker"].to_dict()}
    if audio_digests is not None:
        columns["duplicate waveform"] = dict(audio_digests)
    if "parent" in rows:
        columns["augmented parent"] = {u: (p if isinstance(p, str) and p else u) for u, p in rows["parent"].items()}
    # Corpora name their sentences independently.
    spoken = {u: (corpus, name) for u, corpus, name in zip(rows.index, rows["corpus"], rows["sentence"]) if name}
    shared_sentences = 0
    for fold in folds:
        for name, key_of in columns.items():
            for first, second, shared in _overlaps(fold, key_of):
                # A digest means nothing to a reader. Name the utterances of both parts behind it.
                culprits = shared
                if name != "speaker":
                    both = (*fold.parts[first], *fold.parts[second])
                    culprits = [" and ".join(u for u in both if key_of.get(u) == key) for key in shared]
                sentence = f"{fold.name}: {first} and {second} share {len(shared)} {name}s ({_listed(culprits)})"
                if name == "duplicate waveform":
                    sentence += "; keep one of each in the table"
                if name in allows:
                    leaks.append(name)
                    findings.append(sentence)
                else:
                    errors.append(sentence)
        _check_parts(fold, allows, errors, findings)
        findings += absent_emotions(fold, rows["emotion"])
        sentences = {part: {spoken[u] for u in ids if u in spoken} for part, ids in fold.parts.items()}
        shared_sentences += bool(sentences["train"] & sentences["test"])
    errors += _never_trained(folds, rows)
    if errors:
        raise LeakageError(_sentence(errors))
    findings += _of_two_emotions(rows["emotion"], audio_digests or {})
    if shared_sentences:
        findings.append(f"{shared_sentences} of {len(folds)} folds train and test on the same sentences")
    for name, sentence in declared:
        leaks.append(name)
        findings.append(sentence)
    verdict = f"leaks by declaration: {', '.join(dict.fromkeys(leaks))}" if leaks else "clean"
    return Audit(verdict, tuple(findings))


def _check_ids(folds, rows, errors):
    tested = {}
    for fold in folds:
        seen = {}
        for part, ids in fold.parts.items():
            unknown = [u for u in ids if u not in rows.index]
            if unknown:
                errors.append(f"{fold.name}: {part} names utterances that the table lacks ({_listed(unknown)})")
            for utterance in ids:
                if utterance in seen:
                    errors.append(f"{fold.name}: utterance {utterance} stands in {seen[utterance]} and in {part}")
                seen[utterance] = part
        twice = [u for u in fold.test if u in tested]
        if twice:
            errors.append(f"{fold.name} tests utterances that {tested[twice[0]]} tests too ({_listed(twice)})")
        tested.update(dict.fromkeys(fold.test, fold.name))


def _of_two_emotions(emotion_of, digests):
    """A finding on recordings that the table holds twice, with different emotions: at most one label can be right."""
    found = {}
    for utterance, emotion in emotion_of.items():
        if utterance in digests:
            found.setdefault(digests[utterance], {}).setdefault(emotion, utterance)
    doubtful = [" and ".join(names.values()) for names in found.values() if len(names) > 1]
    return [f"{len(doubtful)} recordings stand under several emotions ({_listed(doubtful)})"] if doubtful else []


def _overlaps(fold, key_of):
    parts = {part: {key_of[u] for u in ids if u in key_of} for part, ids in fold.parts.items()}
    for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
        shared = sorted(parts[first] & parts[second])
        if shared:
            yield first, second, shared


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


def absent_emotions(fold: Fold, emotion_of: "pd.Series") -> list[str]:
    """Sentences on emotions that a fold's validation or test part lacks; its scores are over the others.

    Args:
        fold: the fold.
        emotion_of: emotions of all utterances, by utterance.
    """
    expected, sentences = set(emotion_of), []
    for part in ("validation", "test"):
        ids = fold.parts[part]
        absent = sorted(expected - set(emotion_of.reindex(list(ids)))) if ids else []
        if absent:
            sentences.append(f"{fold.name}: its {part} part has no utterance of {_listed(absent)}")
    return sentences


def _never_trained(folds, rows):
    """A sentence on each emotion that a training part lacks: a model cannot learn it."""
    emotion_of, lacking = rows["emotion"], {}
    for fold in folds:
        if fold.train:
            for emotion in sorted(set(emotion_of) - set(emotion_of.reindex(list(fold.train)))):
                lacking.setdefault(emotion, fold.name)
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
