"""Pages whose numbers come from stored results.

A template holds fields such as `{{ mean speechnet_emodb/small_segments/paper wa }}`: the name of a lookup in `LOOKUPS`
and its arguments. PLACE is `<experiment>/<variant>/<protocol>` below the folder of stored results.
"""

import os
import re
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sertf.evaluation.groups import compare
from sertf.evaluation.scores import predicted
from sertf.evaluation.statistics import clustered_difference, compared_over_repeats
from sertf.reports.markdown import table, triple
from sertf.reports.readme_table import Titles, results_table
from sertf.runs.facts import SPEAKER_KNOWN
from sertf.runs.layout import stored_of_experiment
from sertf.runs.stored import (
    ResultsError,
    read_groups,
    read_history,
    read_json,
    read_manifests,
    read_predictions,
    read_summary,
    write_stored,
)

FIELD = re.compile(r"\{\{ (.+?) \}\}")
CLIPS = "benchmarks/clips.json"
"""Times of a clip, below the folder of stored results."""
NAME = ".template.md"
"""What the name of a template ends in."""


@dataclass(frozen=True)
class Source:
    """What the fields of a page are filled in from.

    Attributes:
        results: folder of stored results.
        titles: the titles of an experiment's variants.
        start: folder that links start from.
    """

    results: Path
    titles: Titles
    start: Path

    def report(self, place: str) -> Mapping[str, Any]:
        """The summary of a place."""
        return read_summary(self.results / place)

    def history(self, place: str) -> pd.DataFrame:
        """The history of a place, a row an epoch."""
        return read_history(self.results / place / "history.csv.gz")

    def predictions(self, file: str) -> pd.DataFrame:
        """Predictions from a file below the results."""
        return read_predictions(self.results / file)


def fill(template: Path, results: Path, titles: Titles) -> Path:
    """Write the page of a template beside it, under its name without `.template`.

    Args:
        template: file whose name ends in `.template.md`.
        results: folder of stored results.
        titles: the titles of an experiment's variants.

    Returns:
        The page that was written.

    Raises:
        ResultsError: the template cannot be read or has another name, or a field cannot be filled in.
    """
    if not template.name.endswith(NAME):
        raise ResultsError(
            f"{template} must have a name that ends in {NAME}; the page gets the name without .template."
        )
    try:
        text = template.read_text(encoding="utf-8")
    except OSError as error:
        raise ResultsError(f"{template} cannot be read: {error.strerror}.") from error
    page = template.with_name(template.name.removesuffix(NAME) + ".md")
    write_stored(page, filled(text, Source(results, titles, page.parent)))
    return page


def filled(text: str, source: Source) -> str:
    """A template's text with its fields filled in.

    Raises:
        ResultsError: a field cannot be filled in; the message holds the field.
    """
    return FIELD.sub(lambda field: _value(field[1], source), text)


def _value(field: str, source: Source) -> str:
    name, *arguments = field.split()
    if name not in LOOKUPS:
        raise ResultsError(f"{{{{ {field} }}}}: no lookup is called {name}; known are {', '.join(LOOKUPS)}.")
    try:
        return LOOKUPS[name](source, *arguments)
    except (ResultsError, OSError, LookupError, TypeError, ValueError) as error:
        raise ResultsError(f"{{{{ {field} }}}} cannot be filled in: {error}") from error


def number(value: float, digits: str | int = 2) -> str:
    """A score with so many decimals."""
    return f"{value:.{int(digits)}f}"


def signed(value: float, digits: str | int = 2) -> str:
    """A difference with a plus or a true minus."""
    return f"{value:+.{int(digits)}f}".replace("-", "−")


def mean(source: Source, place: str, score: str, digits: str = "2") -> str:
    """The mean over repeats."""
    return number(source.report(place)["scores"][score]["mean"], digits)


def later_mean(source: Source, place: str, score: str, digits: str = "2") -> str:
    """The mean over all repeats but the first."""
    values = source.report(place)["scores"][score]["values"][1:]
    return number(sum(values) / len(values), digits)


def spread(source: Source, place: str, score: str) -> str:
    """The mean over repeats ± the standard deviation."""
    entry = source.report(place)["scores"][score]
    return f"{number(entry['mean'])} ± {number(entry['std'])}"


def of_fold(source: Source, place: str, fold: str, score: str) -> str:
    """The mean of one fold, and ± the standard deviation where there are repeats."""
    entry = source.report(place)["folds"][fold][score]
    return number(entry["mean"]) + ("" if entry["std"] is None else f" ± {number(entry['std'])}")


def speakers(source: Source, place: str, score: str) -> str:
    """The interval over speakers."""
    entry = source.report(place)["scores"][score]
    return f"{number(entry['low'])} to {number(entry['high'])}"


def seeds(source: Source, place: str, score: str) -> str:
    """The interval over seeds of a zero-shot score on the one corpus that is tested."""
    (corpus,) = source.report(place)["by_corpus"].values()
    low, high = corpus["scores"][score]["over_repeats"]
    return f"{number(low)} to {number(high)}"


def published(source: Source, place: str, score: str, digits: str = "2") -> str:
    """The mean that the paper prints."""
    return number(triple(source.report(place)["facts"]["published"][score])[0], digits)


def by_test(source: Source, place: str, score: str) -> str:
    """The mean if each run's epoch were chosen by the test part."""
    key = "epoch_by_test" if score == "uar" else f"epoch_by_test_{score}"
    return number(source.report(place)[key]["mean"])


def validated(source: Source, place: str, score: str) -> str:
    """The highest validation score of a run, averaged over runs."""
    return number(source.history(place).groupby(["repeat", "fold"])[f"val_{score}"].max().mean())


def trained(source: Source, place: str, score: str) -> str:
    """The score on the training part in the last epoch, averaged over runs."""
    return number(source.history(place).groupby(["repeat", "fold"])[score].last().mean())


def best_epochs(source: Source, place: str) -> str:
    """The first and the last epoch at which a run has its lowest validation loss."""
    history = source.history(place)
    epochs = history.loc[history.groupby(["repeat", "fold"])["val_loss"].idxmin(), "epoch"]
    return f"{epochs.min()} to {epochs.max()}"


def group(source: Source, place: str, column: str, name: str) -> str:
    """The accuracy on a group of utterances."""
    return number(source.report(place)["groups"][column]["groups"][name]["accuracy"])


def group_p(source: Source, place: str, column: str) -> str:
    """The p-value of the test whether two groups differ."""
    return f"{source.report(place)['groups'][column]['test']['p']:.1g}"


def group_without(source: Source, place: str, column: str, emotion: str) -> str:
    """Accuracies by group, and the test's p-value, without the utterances of an emotion."""
    predictions = source.predictions(f"{place}/predictions.csv.gz")
    groups = read_groups(source.results / place / "groups.csv.gz", predictions)
    if groups is None:
        raise ResultsError(f"{place} holds no groups.")
    predictions = predictions[predictions["truth"] != emotion]
    found = compare(predictions, dict(zip(groups["utterance"], groups[column])))
    if found.test is None:
        raise ResultsError(f"the groups of {place} cannot be compared.")
    accuracies = ", ".join(f"{name} {number(entry.accuracy)}" for name, entry in found.groups.items())
    return f"{accuracies}; p = {found.test.p:.1g}"


def agreement(source: Source, place: str, score: str) -> str:
    """A score of reproducibility, such as PLR: the share of utterances that all repeats agree on."""
    return number(source.report(place)["reproducibility"][score])


def recipe(source: Source, place: str, name: str) -> str:
    """A value of the recipe; several are joined by commas."""
    value = source.report(place)["facts"]["recipe"][name]
    return ", ".join(f"{one:g}" for one in value) if isinstance(value, list) else f"{value:g}"


def chance(source: Source, place: str) -> str:
    """The UAR of a constant prediction."""
    return number(1 / len(source.report(place)["facts"]["emotions"]), 3)


def remarks(source: Source, place: str) -> str:
    """The report's remarks on what the paper prints, as a list."""
    return "\n".join(f"- {remark}" for remark in source.report(place)["facts"]["remarks"])


def compared(source: Source, place: str, other: str, score: str, digits: str = "2") -> str:
    """One place minus another, with its intervals over speakers and over seeds."""
    files = (f"{one}/predictions.csv.gz" for one in (place, other))
    over_speakers = clustered_difference(*map(source.predictions, files), score=score)
    values = [source.report(one)["scores"][score]["values"] for one in (place, other)]
    over = compared_over_repeats(*values) if min(map(len, values)) > 1 else None
    spans: Mapping[str, Any] = {
        **{name: getattr(over_speakers, name) for name in ("difference", "low", "high")},
        "over_repeats": over and {"low": over.low, "high": over.high},
    }
    return _difference(spans, digits)


def differences(source: Source, experiment: str) -> str:
    """The table of an overview's references and of the variants that it sets against them."""
    content = read_json(source.results / experiment / "overview.json")
    rows = {(row["variant"], row["protocol"]): row for row in content["differences"]}
    names = [*content["references"], *(name for name, _ in rows if name not in content["references"])]
    body = []
    for name in dict.fromkeys(names):
        cells = [_title(source, experiment, name)]
        for protocol in ("paper", "strict"):
            entry = content["variants"][name].get(protocol)
            cells.append(f"{number(entry['mean'])} ({entry['repeats']})" if entry else "not run")
            cells.append(_difference(rows[name, protocol]) if (name, protocol) in rows else "–")
        body.append(cells)
    heads = [f"{head}, {split}" for split in ("shared speakers", "unseen speakers") for head in ("score", "difference")]
    return "\n".join([*table(["variant", *heads], body, align="lllll"), "", *_verdicts(source, experiment, rows)])


def _verdicts(source: Source, experiment: str, rows: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[str]:
    """A sentence a protocol on the variants whose every interval lies on one side of 0."""
    lines = []
    for protocol, split in (("paper", "With shared speakers"), ("strict", "On unseen speakers")):
        found: dict[str, list[str]] = {"above": [], "below": []}
        of_protocol = {name: row for (name, of), row in rows.items() if of == protocol}
        for name, row in of_protocol.items():
            spans = [span for span in (row, row["over_repeats"]) if span]
            for side, lies in (
                ("above", all(s["low"] > 0 for s in spans)),
                ("below", all(s["high"] < 0 for s in spans)),
            ):
                if lies:
                    found[side].append(_title(source, experiment, name))
        if of_protocol:
            named = [f"{side}: {'; '.join(titles) or 'none'}" for side, titles in found.items()]
            lines.append(f"- {split}, shown to lie {'. Shown to lie '.join(named)}.")
    return lines


def epochs_without_penalty(source: Source, place: str) -> str:
    """The epoch of each run's lowest validation loss, and in parentheses that without the penalty of the weight decay."""
    return ", ".join(f"{kept} ({other})" for kept, other in _epochs_kept(source.history(place)))


def moved_by_penalty(source: Source, experiment: str) -> str:
    """How many runs of an experiment would keep an earlier epoch without the penalty of the weight decay."""
    found = [
        pair
        for place in stored_of_experiment(source.results / experiment)
        for pair in _epochs_kept(read_history(place / "history.csv.gz"))
    ]
    return f"{sum(other < kept for kept, other in found)} of the {len(found)}"


def _epochs_kept(history: pd.DataFrame) -> list[tuple[int, int]]:
    runs = history.groupby(["repeat", "fold"])
    by = [history.loc[runs[column].idxmin(), "epoch"] for column in ("val_loss", "val_data_loss")]
    return [(int(kept), int(other)) for kept, other in zip(*by)]


def results(source: Source) -> str:
    """The table of all stored results."""
    return results_table(source.results, titles=source.titles, relative_to=source.start)


def cost(source: Source, place: str) -> str:
    """What a model costs and hears, as cells: title, weights, minutes a fold, milliseconds a clip, UAR unknown and known.

    Minutes are the median of its runs on one core, as their manifests state them. Milliseconds come from the output of
    `experiments/bench/clips.py` among the stored results. Known speakers are those of `speaker-known` beside the place.
    """
    experiment, variant, _ = place.split("/")
    summary, known = source.report(place), f"{experiment}/{variant}/{SPEAKER_KNOWN}"
    weights = summary["parameters"]
    manifests = read_manifests(source.results / place / "manifest.json").values()
    minutes = statistics.median(manifest["wall_seconds"] for manifest in manifests) / 60
    ms = read_json(source.results / CLIPS)["ms"].get(f"{experiment}/{variant}")
    heard = mean(source, known, "uar") if (source.results / known).is_dir() else "–"
    return " | ".join(
        (
            _title(source, experiment, variant),
            "–" if weights is None else f"{weights:,}",
            f"{minutes:.1f}",
            "–" if ms is None else f"{ms:.1f}",
            mean(source, place, "uar"),
            heard,
        )
    )


def output(source: Source, file: str) -> str:
    """A file below the results as it stands."""
    return (source.results / file).read_text(encoding="utf-8").rstrip("\n")


def accuracy(source: Source, file: str) -> str:
    """The accuracy of predictions, averaged over repeats."""
    predictions = source.predictions(file)
    right = pd.Series(predicted(predictions) == predictions["truth"].to_numpy())
    return number(right.groupby(predictions["repeat"].to_numpy()).mean().mean(), 3)


def same_classes(source: Source, file: str, other: str) -> str:
    """The share of a repeat's utterances that two tables of predictions give the same class."""
    return number((_classes(source.predictions(file)) == _classes(source.predictions(other))).mean())


def same_classes_of_seeds(source: Source, file: str) -> str:
    """The share of utterances that two repeats give the same class, averaged over pairs of repeats."""
    by_seed = _classes(source.predictions(file)).unstack("repeat")
    pairs = [(by_seed[a] == by_seed[b]).mean() for a in by_seed for b in by_seed if a < b]
    return number(sum(pairs) / len(pairs))


def link(source: Source, file: str) -> str:
    """The address of a file below the results, for a link."""
    if not (source.results / file).is_file():
        raise ResultsError(f"{file} is no file.")
    return Path(os.path.relpath(source.results / file, source.start)).as_posix()


def evaluations(source: Source) -> str:
    """A table of all evaluations of bundled models, from `evaluations/MODEL/NAME/evaluation.json` beside the results."""
    folder, rows = source.results.parent / "evaluations", []
    for path in sorted(folder.glob("*/*/evaluation.json")):
        found, page = read_json(path), path.with_name("report.md")
        uar, link = found["scores"]["uar"], Path(os.path.relpath(page, source.start)).as_posix()
        trained = f"{found['seen']} of them" if found["seen"] else "no"
        rows.append(
            [
                f"`{found['model']}`",
                f"[{', '.join(found['corpora'])}]({link})"
                + (", tested speakers" if found["held_out"] and not found["seen"] else "")
                + (", enrolled by their clips" if found["enrolled"] else ""),
                trained,
                found["utterances"],
                found["speakers"],
                f"{number(uar['value'])} [{number(uar['low'])}, {number(uar['high'])}]",
                number(found["chance"]),
                number(found["calibration"]["values"]["ece"][0]),
            ]
        )
    head = ["model", "corpus", "may have trained on these clips", "clips", "speakers", "UAR", "chance", "ECE"]
    return "\n".join(table(head, rows, align="lll"))


LOOKUPS: dict[str, Callable[..., str]] = {
    lookup.__name__: lookup
    for lookup in (
        *(mean, later_mean, spread, of_fold, speakers, seeds, published, by_test, validated, trained, best_epochs),
        *(epochs_without_penalty, moved_by_penalty),
        *(group, group_p, group_without, agreement, recipe, chance, remarks, compared, differences, results),
        *(cost, output, accuracy, same_classes, same_classes_of_seeds, link, evaluations),
    )
}
"""Lookups by the names that fields call them by."""


def _difference(row: Mapping[str, Any], digits: str | int = 2) -> str:
    spans = [f"{signed(row['low'], digits)} to {signed(row['high'], digits)}"]
    if over := row["over_repeats"]:
        spans.append(f"{signed(over['low'], digits)} to {signed(over['high'], digits)}")
    return f"{signed(row['difference'], digits)} ({'; '.join(spans)})"


def _title(source: Source, experiment: str, variant: str) -> str:
    """The title of a variant of this experiment, or of another experiment, written EXPERIMENT/VARIANT."""
    owner, _, name = variant.rpartition("/")
    return source.titles(owner or experiment).get(name, f"`{variant}`")


def _classes(predictions: pd.DataFrame) -> pd.Series:
    key = [predictions["repeat"], predictions["utterance"]]
    return pd.Series(predicted(predictions), pd.MultiIndex.from_arrays(key, names=["repeat", "utterance"])).sort_index()
