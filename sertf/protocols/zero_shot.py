"""Zero-shot: train on one corpus, test on other corpora, over the emotions that all of them have.

`shared_emotions` makes the table. `speakers_apart`, `random_90_10` and `leave_one_corpus_out` are the protocols. `across`
names the corpora that a run trains and tests on.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.protocols.folds import Fold, Protocol, ProtocolError, check_smallest, draw, fold_of, validation_speakers

if TYPE_CHECKING:
    import pandas as pd


def shared_emotions(table: "pd.DataFrame") -> "pd.DataFrame":
    """The utterances whose emotion every corpus of the table has, for the zero-shot protocols.

    Raises:
        ProtocolError: one corpus, or fewer than two shared emotions; the message lists what each corpus has.
    """
    found = {corpus: set(rows["emotion"]) for corpus, rows in table.groupby("corpus")}
    if len(found) < 2:
        raise ProtocolError(
            f"Shared emotions need two corpora or more, but the table has {', '.join(found) or 'none'}."
        )
    shared = set.intersection(*found.values())
    if len(shared) < 2:
        listed = "; ".join(f"{corpus} has {', '.join(sorted(emotions))}" for corpus, emotions in found.items())
        raise ProtocolError(f"The corpora share {len(shared)} emotions, and 2 are needed to tell apart: {listed}.")
    kept = table[table["emotion"].isin(shared)]
    kept.attrs.update(table.attrs)
    return kept


def speakers_apart(corpus: str) -> Protocol:
    """Train on one corpus, validate with held-out speakers of it, test on each other corpus in a separate fold."""

    def make(table, seed):
        own, tests = _trained_and_tested(table, f"zero-shot-{corpus}", corpus)
        gender = dict(zip(own["speaker"], own["gender"]))
        if len(gender) < 2:
            raise ProtocolError(
                f"zero-shot-{corpus} holds out a speaker of {corpus} for validation, but the table has {len(gender)} of "
                f"it; use zero-shot-90-10-{corpus}, which has no validation part."
            )
        speakers = list(np.random.default_rng(seed).permutation(np.array(sorted(gender), dtype=object)))
        validation = validation_speakers(speakers, gender)
        split = fold_of(own, "split", test=[], validation=validation)
        return [Fold(name, split.train, split.validation, test) for name, test in tests.items()]

    return Protocol(f"zero-shot-{corpus}", make)


def random_90_10(corpus: str) -> Protocol:
    """Train as random-90-10 does, on nine tenths of a corpus. Test on each other corpus. There is no validation part."""

    def make(table, seed):
        own, tests = _trained_and_tested(table, f"zero-shot-90-10-{corpus}", corpus)
        check_smallest(own, f"zero-shot-90-10-{corpus}", 10, "90 % of each emotion for training")
        train, _ = draw(own, 0.1, seed)
        return [Fold(name, train, (), test) for name, test in tests.items()]

    return Protocol(f"zero-shot-90-10-{corpus}", make, frozenset({"no validation"}))


def leave_one_corpus_out(table: "pd.DataFrame", seed: int) -> list[Fold]:
    """One fold a corpus, which it tests; it trains on all others and chooses by speakers of theirs that are held out.

    Raises:
        ProtocolError: one corpus, emotions that not all corpora have, or one speaker beside the tested corpus.
    """
    folds = []
    for corpus in sorted(set(table["corpus"])):
        tested, _ = _trained_and_tested(table, "leave-one-corpus-out", corpus)
        others = table[table["corpus"] != corpus]
        gender = dict(zip(others["speaker"], others["gender"]))
        if len(gender) < 2:
            raise ProtocolError(
                f"leave-one-corpus-out holds a speaker out for validation, but beside {corpus} the table has one alone; "
                "add speakers."
            )
        speakers = list(np.random.default_rng(seed).permutation(np.array(sorted(gender), dtype=object)))
        split = fold_of(others, "split", test=[], validation=validation_speakers(speakers, gender))
        folds.append(Fold(corpus, split.train, split.validation, tuple(tested["utterance"])))
    return folds


def _trained_and_tested(table, name, corpus):
    """Rows of one corpus, and the utterance ids of each other corpus by its name."""
    found = {other: rows for other, rows in table.groupby("corpus")}
    if corpus not in found or len(found) < 2:
        raise ProtocolError(f"{name} needs a table of {corpus} and another corpus, but it holds {', '.join(found)}.")
    emotions = set(table["emotion"])
    for other, rows in found.items():
        absent = sorted(emotions - set(rows["emotion"]))
        if absent:
            raise ProtocolError(
                f"{name} needs emotions that all corpora have, but {other} lacks {', '.join(absent)}; leave them out, as "
                "sertf.protocols.zero_shot.shared_emotions does."
            )
    return found[corpus], {other: tuple(rows["utterance"]) for other, rows in found.items() if other != corpus}


def across(folds: Iterable[Fold], table: "pd.DataFrame") -> dict[str, dict[str, Any]] | None:
    """The corpora that folds train and test on; None if a corpus is both tested and trained on.

    Returns:
        dict of "trained" and "tested". Each maps a corpus to its `languages` and its numbers of `utterances` and
        `speakers` in the table. Tested corpora stand under the names of their folds.
    """
    corpus = dict(zip(table["utterance"], table["corpus"]))
    trained, tested = set(), set()
    for fold in folds:
        trained |= {corpus[u] for u in fold.train if u in corpus}
        tested |= {corpus[u] for u in fold.test if u in corpus}
    if trained & tested:
        return None
    described = {
        name: {
            "languages": sorted(set(rows["language"]) - {""}),
            "utterances": len(rows),
            "speakers": int(rows["speaker"].nunique()),
        }
        for name, rows in table.groupby("corpus")
    }
    return {"trained": {n: described[n] for n in sorted(trained)}, "tested": {n: described[n] for n in sorted(tested)}}
