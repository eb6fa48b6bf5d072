"""The leakage audit: what the parts of a fold share although they must not.

Every fold is checked for a speaker, an utterance, a duplicate waveform or an augmented copy's parent on both sides,
for utterances tested twice, and for parts that lack an emotion, and the table for recordings under several emotions.
What the protocol does not declare raises `LeakageError`; what it declares, shared sentences and doubtful labels become
findings that are kept with each result.
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
    """What an audit found.

    Attributes:
        verdict: "clean", or what leaks by declaration, such as "leaks by declaration: speaker, scaling".
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
        allows: what the protocol declares, of "speaker", "absent emotion" and "no validation".
        audio_digests: utterance id to digest of the decoded audio; None skips the search for duplicate waveforms.
        declared: (name, sentence) pairs of leaks outside the folds that the experiment makes on purpose, such as
            scaling on all rows or tuning on test parts; they enter verdict and findings.

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
    # Corpora name their sentences each for itself.
    spoken = {u: (corpus, name) for u, corpus, name in zip(rows.index, rows["corpus"], rows["sentence"]) if name}
    speakers = rows.groupby("emotion")["speaker"].nunique()
    shared_sentences = 0
    for fold in folds:
        for name, key_of in columns.items():
            for first, second, shared in _overlaps(fold, key_of):
                # Digests say nothing to a reader; name the utterances behind them, those of both parts.
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
        _check_emotions(fold, rows["emotion"], speakers, allows, errors, findings)
        sentences = {part: {spoken[u] for u in ids if u in spoken} for part, ids in fold.parts.items()}
        shared_sentences += bool(sentences["train"] & sentences["test"])
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
    """A sentence on recordings that stand in the table twice, under other emotions: at most one label can be right."""
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


def _check_emotions(fold, emotion_of, speakers, allows, errors, findings):
    expected, needed = set(emotion_of), 2 if "no validation" in allows else 3
    for part, ids in fold.parts.items():
        if part == "validation" and not ids and "no validation" in allows:
            findings.append(f"{fold.name}: no validation part; nothing is chosen by held-out data")
            continue
        absent = sorted(expected - set(emotion_of.reindex(list(ids))))
        if not absent:
            continue
        sentence = f"{fold.name}: its {part} part has no utterance of {{}}"
        if part != "train" and "absent emotion" in allows:
            findings.append(sentence.format(_listed(absent)))
            continue
        for emotion in absent:
            if speakers[emotion] < needed:
                scarce = (
                    f"{emotion} has utterances of {speakers[emotion]} speakers, but the parts of a fold need it of "
                    f"speakers of their own, {needed} in all or more; add utterances of others, or leave the emotion out"
                )
                errors += [scarce] if scarce not in errors else []
        absent = [emotion for emotion in absent if speakers[emotion] >= needed]
        if absent:
            mend = "use fewer folds, or leave the emotion out"
            if part != "train":
                mend = "use fewer folds, leave-one-speaker-out, which allows it, or leave the emotion out"
            errors.append(f"{sentence.format(_listed(absent))}; {mend}")


def _listed(items):
    shown = ", ".join(str(item) for item in items[:_LISTED])
    return shown if len(items) <= _LISTED else f"{shown} and {len(items) - _LISTED} more"


def _sentence(errors):
    more = "" if len(errors) <= 20 else f"\n  and {len(errors) - 20} more"
    return "The folds leak or are incomplete:\n  " + "\n  ".join(errors[:20]) + more
