"""Summaries of `sertf.results.summarise` in, Markdown out."""

SCORE_NOTE = (
    "mean ± standard deviation over repeats, best repeat in parentheses, and in brackets the 95 % interval over "
    "speakers (bootstrap of whole speakers, 2000 draws)"
)
_REPRODUCIBILITY = {
    "GLR": "half of the repeats or more agree",
    "FLR": "half or more agree, not all",
    "PLR": "all repeats agree",
    "CLR": "half or more are right",
    "FCLR": "half or more are right, not all",
    "PCLR": "all repeats are right",
}
_DIFFERS = ("repeat", "fold", "seed", "wall_seconds", "best_epoch")


def report(summary, *, beside=None, figures=(), differing=()):
    """A report page.

    Args:
        summary: of the protocol that the page is about.
        beside: the summary of the same variant's other protocol, shown in a column of its own.
        figures: pairs of file name and caption, in their order.
        differing: names of manifest entries that are not the same in all runs.
    """
    facts = summary["facts"]
    columns = {summary["facts"]["protocol"]: summary}
    if beside is not None:
        columns[beside["facts"]["protocol"]] = beside
    columns = dict(sorted(columns.items()))  # "paper" before "strict", on both pages
    tested, emotions = summary["tested"], facts["emotions"]
    corpus = f"{tested['utterances']} utterances of {tested['speakers']} speakers"
    licence = facts.get("licence", "not stated")
    lines = [
        f"# {facts['variant']} on {facts['corpus']}, {facts['protocol']} protocol",
        "",
        f"Experiment `{facts['experiment']}`. Paper: {facts['paper']}",
        "",
        f"Tested on {corpus}, {len(emotions)} emotions: {', '.join(emotions)}. Licence of the corpus: {licence}.",
        "",
        *_scores(summary, columns),
        *_against_published(summary),
        *_audit(facts),
        *_recall(columns),
        *_reproducibility(columns),
        *_figures(figures),
        *_how(summary, differing),
    ]
    return "\n".join(lines).rstrip() + "\n"


def results_table(rows):
    """The table of a README.

    Args:
        rows: one dict a variant, with `summaries`, a dict of protocol to summary, and `links`, a dict of protocol to
            the address of its report.
    """
    head = ["experiment", "model", "corpus", "score", "published", "ours, `paper` protocol", "ours, `strict` protocol"]
    body = []
    for row in rows:
        paper, strict = (row["summaries"].get(protocol) for protocol in ("paper", "strict"))
        any_summary = next(iter(row["summaries"].values()))
        facts, key = any_summary["facts"], primary(any_summary)
        cells = [facts["experiment"], f"`{facts['variant']}`", facts["corpus"]]
        cells += [any_summary["scores"][key]["name"], _published(facts, key)]
        for protocol, summary in (("paper", paper), ("strict", strict)):
            cells.append(_linked(summary["scores"][key], row["links"][protocol]) if summary else "not run")
        gap = paper["scores"][key]["mean"] - strict["scores"][key]["mean"] if paper and strict else None
        body.append([*cells, "–" if gap is None else f"{_signed(gap)}"])
    return "\n".join(_table([*head, "the leak's worth"], body, align="lllllll"))


def overview(content, summaries, *, links, protocols, figures):
    """The page of `sertf.overview`: one table of scores, one of reproducibility, one of differences.

    Args:
        content: as `overview.json` holds it.
        summaries: of each variant and protocol, a dict of dicts.
        links: address of each variant's results.
        protocols: names of the protocols, in the order of columns.
        figures: pairs of file name and caption.
    """
    score, reference = content["score"], content["reference"]
    first = next(iter(next(iter(summaries.values())).values()))
    name_of_score = first["scores"][score]["name"]
    last = protocols[-1]
    order = sorted(
        summaries, key=lambda v: -(summaries[v].get(last) or next(iter(summaries[v].values())))["scores"][score]["mean"]
    )
    head = ["variant", "parameters", "published"]
    for protocol in protocols:
        head += [f"{name_of_score}, `{protocol}`", "UAR", "PLR", "PCLR"]
    body = []
    for variant in order:
        known = next(iter(summaries[variant].values()))
        published = known["facts"].get("published") or {}
        of_ten = ", ".join(f"{key} {triple(published[key])[0]:.4f}" for key in ("PLR", "PCLR") if key in published)
        cell = " <br>".join(part for part in (_published(known["facts"], score), of_ten) if part and part != "–") or "–"
        row = [f"`{variant}`", f"{known['parameters']:,}" if known["parameters"] else "–", cell]
        for protocol in protocols:
            summary = summaries[variant].get(protocol)
            if summary is None:
                row += ["not run", "–", "–", "–"]
                continue
            agreement = summary["reproducibility"]
            row += [_linked(summary["scores"][score], f"{links[variant]}/{protocol}/report.md")]
            row += [f"{summary['scores']['uar']['mean']:.4f}"]
            row += [f"{agreement[key]:.4f}" if agreement else "–" for key in ("PLR", "PCLR")]
        body.append(row)
    facts = first["facts"]
    lines = [f"# {content['experiment']}", "", f"Paper: {facts['paper']}. Corpus: {facts['corpus']}.", ""]
    lines += ["## Scores", "", *_table(head, body), "", f"{SCORE_NOTE[0].upper()}{SCORE_NOTE[1:]}.", ""]
    lines += _agreement(summaries, order, protocols)
    if reference is not None:
        lines += _differences(content, name_of_score)
    return "\n".join([*lines, *_figures(figures)]).rstrip() + "\n"


def _agreement(summaries, order, protocols):
    body = [
        [f"`{variant}`", protocol, *(f"{agreement[key]:.4f}" if agreement else "–" for key in _REPRODUCIBILITY)]
        for variant in order
        for protocol in protocols
        if protocol in summaries[variant]
        for agreement in [summaries[variant][protocol]["reproducibility"]]
    ]
    meanings = "; ".join(f"{key}: {meaning}" for key, meaning in _REPRODUCIBILITY.items())
    note = f"Shares of the test utterances. {meanings}. A single repeat has nothing to agree with (–)."
    return [
        "## Reproducibility",
        "",
        *_table(["variant", "protocol", *_REPRODUCIBILITY], body, align="ll"),
        "",
        note,
        "",
    ]


def _differences(content, name_of_score):
    reference, body, sentences = content["reference"], [], []
    for row in content["differences"]:
        paired = row["over_repeats"]
        over_repeats = "–"
        if paired:
            over_repeats = f"[{_signed(paired['low'])}, {_signed(paired['high'])}], p {_p(paired['t_p'])}"
        body.append(
            [
                f"`{row['variant']}`",
                row["protocol"],
                _signed(row["difference"]),
                f"[{_signed(row['low'])}, {_signed(row['high'])}]",
                over_repeats,
                "–" if row["published"] is None else _signed(row["published"]),
            ]
        )
        verdict = _verdict(row["variant"], reference, row["low"], row["high"])
        sentences.append(f"- `{row['protocol']}`, other speakers: {verdict}.")
    head = ["variant", "protocol", "difference", "95 % interval over speakers", "over repeats", "published"]
    title = f"## {name_of_score} minus that of `{reference}`"
    note = "Over repeats is a paired t-test, left out (–) where the numbers of repeats differ or are 1."
    return [title, "", *_table(head, body, align="ll"), "", note, "", *sentences, ""]


def comparison(name_a, name_b, score, test, difference):
    """What a paired test over repeats and one over speakers say about two systems.

    Args:
        name_a, name_b: the systems.
        score: name of the score.
        test: `sertf.statistics.PairedTest` of a and b over repeats.
        difference: `sertf.statistics.Difference` of a and b over speakers.
    """
    body = [
        [
            f"other seeds ({test.n} repeats)",
            _signed(test.difference),
            f"[{_signed(test.low)}, {_signed(test.high)}]",
            f"t-test p {_p(test.t_p)}, Wilcoxon p {_p(test.wilcoxon_p)}",
        ],
        [
            "other speakers",
            _signed(difference.difference),
            f"[{_signed(difference.low)}, {_signed(difference.high)}]",
            "paired bootstrap of speakers",
        ],
    ]
    seeds = _verdict(name_a, name_b, test.low, test.high)
    speakers = _verdict(name_a, name_b, difference.low, difference.high)
    return "\n".join(
        [
            f"### {name_a} against {name_b}, {score}",
            "",
            *_table(["would it hold with", "difference", "95 % interval", "test"], body, align="lrll"),
            "",
            f"With other seeds, {seeds}. With other speakers, {speakers}.",
            "",
        ]
    )


def primary(summary):
    """Key of the score that speaks for a result: the first of ours that the paper prints, else the UAR."""
    published = summary["facts"].get("published") or {}
    return next((key for key in summary["scores"] if key in published), "uar")


def triple(values):
    """Mean, standard deviation and best of a published score; what the paper does not print is None."""
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    return (*values, None, None)[:3]


def _scores(summary, columns):
    facts = summary["facts"]
    published = facts.get("published") or {}
    body = [
        [entry["name"], _published(facts, key), *(_score(column["scores"].get(key)) for column in columns.values())]
        for key, entry in summary["scores"].items()
    ]
    body += [
        [key, _published(facts, key), *("–" for _ in columns)]
        for key in published
        if key not in summary["scores"] and key not in _REPRODUCIBILITY
    ]
    head = ["score", "published", *(f"ours, `{protocol}`" for protocol in columns)]
    lines = ["## Scores", "", *_table(head, body), "", f"{SCORE_NOTE[0].upper()}{SCORE_NOTE[1:]}.", ""]
    for protocol, column in columns.items():
        if column.get("epoch_by_test"):
            lines += [
                f"Under `{protocol}` the test part was scored after every epoch. Keeping each run's best epoch by that "
                f"score would print a UAR of {_score(column['epoch_by_test'] | {'low': None})}.",
                "",
            ]
    if columns.keys() == {"paper", "strict"}:
        key = primary(summary)
        paper, strict = (columns[protocol]["scores"][key]["mean"] for protocol in ("paper", "strict"))
        lines += [
            f"The leak's worth, {summary['scores'][key]['name']} of `paper` minus `strict`: {_signed(paper - strict)}.",
            "",
        ]
    return lines


def _against_published(summary):
    published = summary["facts"].get("published") or {}
    lines = ["## Against the published score", ""]
    known = [key for key in summary["scores"] if key in published]
    if not known:
        return [*lines, "There is no published score to set beside these.", ""]
    for key in known:
        ours, (mean, _, best) = summary["scores"][key], triple(published[key])
        gap = ours["mean"] - mean
        verdict = f"falls short of the published mean by {-gap:.4f}" if gap < 0 else "reaches the published mean"
        text = f"- **{ours['name']} {verdict}**: {_plain(ours)} here, {mean:.4f} there, difference {_signed(gap)}"
        if ours["low"] is not None:
            low, high = ours["low"] - mean, ours["high"] - mean
            inside = ours["low"] <= mean <= ours["high"]
            text += (
                f", 95 % interval over speakers [{_signed(low)}, {_signed(high)}]; the published mean lies "
                f"{'within' if inside else 'outside'} our interval [{ours['low']:.4f}, {ours['high']:.4f}]"
            )
        if best is not None:
            text += f". Best repeat: {ours['best']:.4f} here, {best:.4f} there"
        lines.append(f"{text}.")
    return [*lines, ""]


def _audit(facts):
    findings = facts["audit"].get("findings", [])
    lines = ["## Leakage audit", "", f"Verdict: **{facts['audit'].get('verdict', 'not audited')}**.", ""]
    return [*lines, *(f"- {finding}" for finding in findings), *([""] if findings else [])]


def _recall(columns):
    emotions = list(dict.fromkeys(emotion for column in columns.values() for emotion in column["recall"]))
    body = [
        [
            emotion,
            *(_plain(column["recall"][emotion]) if emotion in column["recall"] else "–" for column in columns.values()),
        ]
        for emotion in emotions
    ]
    return ["## Recall by emotion", "", *_table(["emotion", *(f"`{name}`" for name in columns)], body), ""]


def _reproducibility(columns):
    published = next(iter(columns.values()))["facts"].get("published") or {}
    given = bool(published.keys() & _REPRODUCIBILITY)
    columns = {name: column for name, column in columns.items() if column["reproducibility"]}
    lines = ["## Reproducibility", ""]
    if not columns:
        return [*lines, "One repeat has nothing to agree with; these scores need 2 or more.", ""]
    body = [
        [
            name,
            meaning,
            *([f"{100 * triple(published[name])[0]:.2f} %" if name in published else "–"] if given else []),
            *(f"{100 * column['reproducibility'][name]:.2f} %" for column in columns.values()),
        ]
        for name, meaning in _REPRODUCIBILITY.items()
    ]
    head = [
        "score",
        "share of utterances on which",
        *(["published"] if given else []),
        *(f"`{name}`" for name in columns),
    ]
    repeats = ", ".join(f"`{name}` {column['facts']['repeats']}" for name, column in columns.items())
    note = f"Repeats: {repeats}. Definitions: `sertf.scores.reproducibility`, after SpeechNet (BSPC 2025)."
    return [*lines, *_table(head, body, align="ll"), "", note, ""]


def _figures(figures):
    lines = ["## Figures", ""] if figures else []
    for name, caption in figures:
        lines += [f"![{caption}]({name})", "", f"*{caption}*", ""]
    return lines


def _how(summary, differing):
    facts = summary["facts"]
    seconds = summary["wall_seconds"]
    body = [
        ["repeats × folds", f"{facts['repeats']} × {len(facts['folds'])} = {summary['runs']} runs"],
        ["epochs", facts.get("epochs") or "none, fitted by scikit-learn"],
        ["base seed", facts.get("seed", "not stated")],
        ["seeds of the runs", f"{len(set(summary['seeds']))} different, in `manifest.json`"],
        ["parameters of the model", f"{summary['parameters']:,}" if summary["parameters"] else "not stated"],
        ["backend, device", f"{summary['backend']}, {summary['device']}"],
        ["time", f"{seconds / 60:.1f} min summed over runs, {seconds / summary['runs']:.1f} s a run"],
        ["digest of the experiment", f"`{facts['digest']}`"],
    ]
    recipe = facts.get("recipe") or {}
    body += [[f"recipe: {name.replace('_', ' ')}", f"{value}"] for name, value in recipe.items() if value is not None]
    lines = ["## How it was run", "", *_table(["", ""], body, align="ll"), ""]
    unexpected = [name for name in differing if name not in _DIFFERS]
    if unexpected:
        lines += [f"Not the same in all runs: {', '.join(unexpected)}; see `manifest.json`.", ""]
    if facts.get("skipped"):
        lines += [f"Left out by `--skip-bad`: {len(facts['skipped'])} clips; see `report.json`.", ""]
    if summary["beyond_plan"]:
        lines += [f"Finished runs that this plan does not ask for, not counted: {len(summary['beyond_plan'])}.", ""]
    again = "Every number above can be computed again from `predictions.csv.gz`: a row is one test utterance of one "
    return [*lines, f"{again}repeat, the prediction is the largest score.", ""]


def _verdict(name_a, name_b, low, high):
    if low > 0:
        return f"{name_a} lies above {name_b}"
    if high < 0:
        return f"{name_a} lies below {name_b}"
    return "a difference is not shown (the interval holds 0)"


def _table(head, body, *, align="l"):
    align = [align[i] if i < len(align) else "r" for i in range(len(head))]
    rule = ["---" if side == "l" else "---:" for side in align]
    rows = [[str(cell).replace("|", "\\|") for cell in row] for row in (head, rule, *body)]
    return [f"| {' | '.join(row)} |" for row in rows]


def _published(facts, key):
    values = (facts.get("published") or {}).get(key)
    if values is None:
        return "–"
    mean, std, best = triple(values)
    return f"{mean:.4f}{'' if std is None else f' ± {std:.4f}'}{'' if best is None else f' ({best:.4f})'}"


def _plain(entry):
    return f"{entry['mean']:.4f}" + ("" if entry["std"] is None else f" ± {entry['std']:.4f}")


def _score(entry):
    if entry is None:  # of a report that knows this score not yet
        return "–"
    best = "" if entry["std"] is None else f" ({entry['best']:.4f})"
    return f"{_plain(entry)}{best}{_bracket(entry)}"


def _linked(entry, link):
    count = len(entry["values"])
    best = "" if entry["std"] is None else f" ({entry['best']:.4f})"
    repeats = f"{count} repeat{'s' if count > 1 else ''}"
    return f"[{_plain(entry)}]({link}){best}{_bracket(entry, ' <br>')} <br>{repeats}"


def _bracket(entry, separator=" "):
    return "" if entry["low"] is None else f"{separator}[{entry['low']:.4f}, {entry['high']:.4f}]"


def _signed(value):
    return f"{value:+.4f}".replace("-", "−")


def _p(value):
    return "< 0.0001" if value < 0.0001 else f"= {value:.4f}"
