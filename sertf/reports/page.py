"""The page of one variant under one protocol: a summary of `sertf.reports.summary.summarise` in, Markdown out."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sertf.reports import markdown, zero_shot
from sertf.reports.breakdowns import by_emotion, by_fold, by_group, calibration, published_names
from sertf.runs.facts import PER_RUN, Facts, Summary, in_order


def render_page(
    summary: Summary,
    *,
    beside: Iterable[Summary] = (),
    folder: Path | None = None,
    differing: Iterable[str] = (),
) -> str:
    """A report page.

    Args:
        summary: summary of the page's protocol.
        beside: the summaries of the same variant's other protocols, shown in further columns.
        folder: folder of the page, which shows the report's figures found there; None leaves this section out.
        differing: names of manifest entries that differ between runs.
    """
    facts = summary["facts"]
    shown = {one["facts"]["protocol"]: one for one in (summary, *beside)}
    columns = {protocol: shown[protocol] for protocol in in_order(shown)}  # on all their pages
    tested, emotions = summary["tested"], facts["emotions"]
    unknown = "speakers unknown" in facts.get("audit", {}).get("verdict", "")
    corpus = f"{tested['utterances']} utterances of {'unknown' if unknown else tested['speakers']} speakers"
    licence = facts.get("licence", "not stated")
    merged = "".join(f"; {emotion} counts as {other}" for emotion, other in (facts.get("merged") or {}).items())
    lines = [
        f"# {facts['variant']} on {facts['corpus']}, {facts['protocol']} protocol",
        "",
        f"Experiment `{facts['experiment']}`. Paper: {facts['paper']}",
        "",
        *(["**A smoke test: two epochs on a few clips. Its scores mean nothing.**", ""] if facts.get("smoke") else []),
        f"Tested on {corpus}, {len(emotions)} emotions: {', '.join(emotions)}{merged}. Licence of the corpus: {licence}.",
        "",
        *_scores(summary, columns),
        *zero_shot.section(columns),
        *_against_published(summary),
        *_remarks(facts),
        *_beside_others(summary),
        *_compared(summary),
        *_audit(facts),
        *by_fold(summary),
        *by_emotion(columns),
        *by_group(summary.get("groups") or {}),  # a report of before has none
        *calibration(columns),
        *_reproducibility(columns),
        *_figures(summary, folder),
        *_how(summary, differing),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _scores(summary: Summary, columns: dict[str, Summary]) -> list[str]:
    published = markdown.published_by_column(columns)
    body = [
        [
            entry["name"],
            *(markdown.published_cell(printed, key) for printed in published.values()),
            *(markdown.score_cell(column["scores"].get(key)) for column in columns.values()),
        ]
        for key, entry in summary["scores"].items()
    ]
    elsewhere = {
        markdown.HOURS,
        *summary["scores"],
        *markdown.REPRODUCIBILITY,
        *published_names(columns),
    }
    body += [
        [key, *(markdown.published_cell(printed, key) for printed in published.values()), *("–" for _ in columns)]
        for key in dict.fromkeys(key for printed in published.values() for key in printed)
        if key not in elsewhere
    ]
    head = ["score", *published, *(f"ours, `{protocol}`" for protocol in columns)]
    lines = [
        "## Scores",
        "",
        *markdown.table(head, body),
        "",
        f"{markdown.SCORE_NOTE[0].upper()}{markdown.SCORE_NOTE[1:]}.",
        "",
    ]
    for protocol, column in columns.items():
        if column.get("epoch_by_test"):
            by_wa = column.get("epoch_by_test_wa")
            more = f", by its WA a WA of {markdown.score_cell(by_wa | {'low': None})}" if by_wa else ""
            lines += [
                f"Under `{protocol}` the test part was scored after every epoch. Keeping each run's best epoch by that "
                f"score would print a UAR of {markdown.score_cell(column['epoch_by_test'] | {'low': None})}{more}.",
                "",
            ]
        if column.get("last_epoch"):
            lines += [
                f"Under `{protocol}` the last epoch of each run has a UAR of "
                f"{markdown.score_cell(column['last_epoch'] | {'low': None})} and a WA of "
                f"{markdown.score_cell(column['last_epoch_wa'] | {'low': None})}.",
                "",
            ]
    for protocol, column in columns.items():
        if column["facts"].get("scaling") == "speaker":
            clips = column["facts"].get("enrolment_clips", "all")
            trained = (
                " The model trains itself on them too, without labels." if column["facts"].get("self_training") else ""
            )
            known = (
                f"each tested speaker is scaled by {clips} of their own unlabelled clips.{trained} These scores are of known "
                "speakers. They do not compare with scores on unknown ones."
            )
            unknown = "the model of known speakers is tested on speakers it has no clips of."
            lines += [f"Under `{protocol}` {known if clips else unknown}", ""]
    if {"paper", "strict"} <= columns.keys() and not summary["facts"].get("across"):
        key = markdown.primary(*columns.values())
        paper, strict = (columns[protocol]["scores"][key]["mean"] for protocol in ("paper", "strict"))
        lines += [
            f"The leak's worth, {summary['scores'][key]['name']} of `paper` minus `strict`: {markdown.signed(paper - strict)}. "
            "Besides the speakers, the two differ in the share of the corpus that trains and in what is tested.",
            "",
        ]
    return lines


def _against_published(summary: Summary) -> list[str]:
    published = summary["facts"].get("published") or {}
    lines = ["## Against the published score", ""]
    known = [key for key in summary["scores"] if key in published]
    if not known:
        return [*lines, "There is no published score to set beside these.", ""]
    for key in known:
        ours, (mean, _, best) = summary["scores"][key], markdown.triple(published[key])
        gap = ours["mean"] - mean
        verdict = f"falls short of the published mean by {-gap:.4f}" if gap < 0 else "reaches the published mean"
        text = f"- **{ours['name']} {verdict}**: {markdown.mean_cell(ours)} here, {mean:.4f} there, difference {markdown.signed(gap)}"
        if ours["low"] is not None:
            low, high = ours["low"] - mean, ours["high"] - mean
            inside = ours["low"] <= mean <= ours["high"]
            text += (
                f", 95 % interval over speakers [{markdown.signed(low)}, {markdown.signed(high)}]; the published mean lies "
                f"{'within' if inside else 'outside'} our interval [{ours['low']:.4f}, {ours['high']:.4f}]"
            )
        if best is not None:
            text += f". Best repeat: {ours['best']:.4f} here, {best:.4f} there"
        lines.append(f"{text}.")
    return [*lines, ""]


def _remarks(facts: Facts) -> list[str]:
    remarks = facts.get("remarks") or []
    return ["## What the paper prints", "", *(f"- {remark}" for remark in remarks), ""] if remarks else []


def _compared(summary: Summary) -> list[str]:
    """One line on what differs from another variant, the question that this one was trained for."""
    compared = summary.get("compared")
    if not compared:
        return []
    variant, reference = (f"`{name}`" for name in (summary["facts"]["variant"], compared["variant"]))
    if "reason" in compared:
        line = f"{variant} cannot be compared with {reference}: {compared['reason']}"
    else:
        entry, (low, high) = summary["scores"][compared["score"]], (compared["low"], compared["high"])
        line = (
            f"{entry['name']} {markdown.mean_cell(entry)} against {markdown.mean_cell(compared)} of {reference}, difference "
            f"{markdown.signed(compared['difference'])}, 95 % interval over speakers [{markdown.signed(low)}, "
            f"{markdown.signed(high)}]: {markdown.verdict(variant, reference, low, high)}."
        )
    return [f"## What {compared['what']} does", "", line, ""]


def _beside_others(summary: Summary) -> list[str]:
    facts = summary["facts"]
    others, published = facts.get("others"), facts.get("published") or {}
    if not others:
        return []
    key, name = ("uar", "UAR") if "uar" in published and "wa" not in published else ("wa", "accuracy")
    # experiment.json does not keep the paper's order.
    body = [[system, f"{score:.4f}"] for system, score in sorted(others.items(), key=lambda item: item[::-1])]
    body += [
        ["the paper's own", markdown.published_cell(published, key)],
        [f"ours, `{facts['protocol']}` protocol", markdown.mean_cell(summary["scores"][key])],
    ]
    return ["## Beside other systems, as the paper lists them", "", *markdown.table(["system", name], body), ""]


def _audit(facts: Facts) -> list[str]:
    findings = facts["audit"].get("findings", [])
    lines = ["## Leakage audit", "", f"Verdict: **{facts['audit'].get('verdict', 'not audited')}**.", ""]
    return [*lines, *(f"- {finding}" for finding in findings), *([""] if findings else [])]


def _reproducibility(columns: dict[str, Summary]) -> list[str]:
    published = next(iter(columns.values()))["facts"].get("published") or {}
    given = bool(published.keys() & markdown.REPRODUCIBILITY)
    agreements = {name: rates for name, column in columns.items() if (rates := column["reproducibility"])}
    lines = ["## Reproducibility", ""]
    if not agreements:
        return [*lines, "One repeat has nothing to agree with; these scores need 2 or more.", ""]
    body = [
        [
            name,
            meaning,
            *([f"{100 * markdown.triple(published[name])[0]:.2f} %" if name in published else "–"] if given else []),
            *(f"{100 * rates[name]:.2f} %" for rates in agreements.values()),
        ]
        for name, meaning in markdown.REPRODUCIBILITY.items()
    ]
    head = [
        "score",
        "share of utterances on which",
        *(["published"] if given else []),
        *(f"`{name}`" for name in agreements),
    ]
    repeats = ", ".join(f"`{name}` {columns[name]['facts']['repeats']}" for name in agreements)
    note = (
        f"Repeats: {repeats}; shares of unequal numbers of repeats cannot be set against each other. Definitions: "
        "`sertf.evaluation.reproducibility`, after SpeechNet (BSPC 2025)."
    )
    return [*lines, *markdown.table(head, body, align="ll"), "", note, ""]


def _figures(summary: Summary, folder: Path | None) -> list[str]:
    if folder is None:
        return []
    found = [pair for pair in summary.get("figures", ()) if (folder / pair[0]).is_file()]
    if not found:
        return ["## Figures", "", "Figures are redrawn by `sertf report --figures RESULTS`.", ""]
    return markdown.figures(found)


def _how(summary: Summary, differing: Iterable[str]) -> list[str]:
    facts = summary["facts"]
    seconds = summary["wall_seconds"]
    body: list[list[Any]] = [
        ["repeats × folds", f"{facts['repeats']} × {len(facts['folds'])} = {summary['runs']} runs"],
        ["epochs", facts.get("epochs") or "none, fitted by scikit-learn"],
        ["base seed", facts.get("seed", "not stated")],
        ["seeds of the runs", f"{len(set(summary['seeds']))} different, in `manifest.json`"],
        ["trained parameters", f"{summary['parameters']:,}" if summary["parameters"] else "not stated"],
        ["backend, device", f"{summary['backend']}, {summary['device']}"],
        [
            "time",
            f"{seconds / 60:.1f} min summed over runs, {seconds / summary['runs']:.1f} s a run{markdown.published_time(facts, '; published: ')}",
        ],
        ["digest of the experiment", f"`{facts['digest']}`"],
    ]
    built = {"features": facts.get("front_end"), "model": facts.get("model")}
    body += [[what, markdown.called(named)] for what, named in built.items() if named]
    if facts.get("scaling"):
        body.append(["standardised by", _standardised(facts)])
    recipe = facts.get("recipe") or {}
    body += [[f"recipe: {name.replace('_', ' ')}", f"{value}"] for name, value in recipe.items() if value is not None]
    if facts.get("scaled_each"):
        body.append(["standardised by itself", f"each {facts['scaled_each']}"])
    if facts.get("augmentation"):
        body.append(["augmentation of the training part", _augmentation(facts["augmentation"])])
    if facts.get("teacher"):
        body.append(["teacher", f"{facts['teacher']['model']} on {facts['teacher']['front_end']['name']}"])
    lines = ["## How it was run", "", *markdown.table(["", ""], body, align="ll"), ""]
    unexpected = [name for name in differing if name not in PER_RUN]
    if unexpected:
        lines += [f"Not the same in all runs: {', '.join(unexpected)}; see `manifest.json`.", ""]
    if facts.get("skipped"):
        lines += [f"Left out by `--skip-bad`: {len(facts['skipped'])} clips; see `report.json`.", ""]
    if summary["beyond_plan"]:
        lines += [f"Finished runs that this plan does not ask for, not counted: {len(summary['beyond_plan'])}.", ""]
    kept = "`predictions.csv.gz`" + (" and `groups.csv.gz`" if summary.get("groups") else "")
    return [
        *lines,
        f"Every score above can be computed again from {kept}, those after each epoch from `history.csv.gz`: a row of "
        "predictions is one test utterance of one repeat, the prediction is the largest score.",
        "",
    ]


def _standardised(facts):
    if facts["scaling"] == "speaker":
        clips = facts.get("enrolment_clips", "all")
        if clips == 0:
            return "all clips of each training and validation speaker, the training part for tested speakers"
        return f"{clips} clips of each validation or tested speaker, all of the others"
    return "all clips" if facts["scaling"] == "corpus" else "the training part of each fold"


def _augmentation(described: dict[str, Any]) -> str:
    """Plain words for `sertf.audio.augmentation.Augmentation.to_dict`."""
    steps = []
    for step in described["steps"]:
        options = ", ".join(f"{key} {value}" for key, value in step.items() if key != "name")
        steps.append(f"{step['name']} ({options})" if options else step["name"])
    drawn = "drawn anew every epoch" if described["fresh"] else "drawn once"
    copies = "copy" if described["copies"] == 1 else "copies"
    whose = "an utterance" if described.get("keep_original", True) else "in the place of each utterance"
    return f"{described['copies']} {copies} {whose}, {drawn}: {', '.join(steps)}"
