"""The page over all variants of an experiment: summaries of `sertf.reports.summary.summarise` in, Markdown out."""

from sertf.reports import markdown, zero_shot
from sertf.runs.facts import SPEAKER_KNOWN, Overview, Summary


def render_overview(
    content: Overview,
    summaries: dict[str, dict[str, Summary]],
    *,
    links: dict[str, dict[str, str]],
    protocols: list[str],
    figures: list[tuple[str, str]],
) -> str:
    """The page of `sertf.reports.overview`: one table of scores, one of reproducibility, one of differences.

    Args:
        content: as `overview.json` holds it.
        summaries: of each variant and protocol, a dict of dicts.
        links: address of the report of each variant and protocol.
        protocols: names of the protocols, in the order of columns.
        figures: pairs of file name and caption.
    """
    score = content["score"]
    first = next(iter(next(iter(summaries.values())).values()))
    name_of_score = first["scores"][score]["name"]
    order = _order(summaries, score, protocols)
    across = any(summary.get("by_corpus") for of_variant in summaries.values() for summary in of_variant.values())
    beside = [] if score == "uar" else ["UAR"]
    head = ["variant", "trained parameters", "published", *(["chance"] if across else [])]
    for protocol in protocols:
        head += [f"{name_of_score}, `{protocol}`", *beside, "PLR", "PCLR", "s a run"]
    body = []
    for variant in order:
        known = next(iter(summaries[variant].values()))
        published = known["facts"].get("published") or {}
        of_ten = ", ".join(
            f"{key} {markdown.triple(published[key])[0]:.4f}" for key in ("PLR", "PCLR") if key in published
        )
        cell = (
            " <br>".join(
                part
                for part in (
                    markdown.published_cells(summaries[variant], score),
                    of_ten,
                    markdown.published_time(known["facts"]),
                )
                if part and part != "–"
            )
            or "–"
        )
        row = [f"`{variant}`", f"{known['parameters']:,}" if known["parameters"] else "–", cell]
        row += [_chance(known, score)] if across else []
        for protocol in protocols:
            summary = summaries[variant].get(protocol)
            if summary is None:
                row += ["not run", *["–"] * (len(beside) + 3)]
                continue
            agreement = summary["reproducibility"]
            row += [markdown.linked_cell(summary["scores"][score], links[variant][protocol])]
            row += [f"{summary['scores']['uar']['mean']:.4f}" for _ in beside]
            row += [f"{agreement[key]:.4f}" if agreement else "–" for key in ("PLR", "PCLR")]
            row += [f"{summary['wall_seconds'] / summary['runs']:.0f}"]
        body.append(row)
    facts = first["facts"]
    corpora = zero_shot.trained_and_tested(facts) if facts.get("across") else f"Corpus: {facts['corpus']}"
    lines = [f"# {content['experiment']}", "", f"Paper: {facts['paper']}. {corpora}.", ""]
    lines += [
        "## Scores",
        "",
        *markdown.table(head, body),
        "",
        f"{markdown.SCORE_NOTE[0].upper()}{markdown.SCORE_NOTE[1:]}.",
        "",
    ]
    lines += _features(summaries, order)
    lines += _agreement(summaries, order, protocols)
    if content["differences"]:
        lines += _differences(content, name_of_score)
    return "\n".join([*lines, *markdown.figures(figures)]).rstrip() + "\n"


def _order(summaries: dict[str, dict[str, Summary]], score: str, protocols: list[str]) -> list[str]:
    """The variants by their score under the protocol that most of them have, the later of two; behind them the others.

    Known speakers order the variants only where no other protocol was run.
    """
    unknown = [protocol for protocol in protocols if not protocol.startswith(SPEAKER_KNOWN)]
    by = max(
        reversed(unknown or protocols),
        key=lambda protocol: sum(protocol in of_variant for of_variant in summaries.values()),
    )

    def key(variant):
        of_variant = summaries[variant]
        chosen = of_variant.get(by) or next(iter(of_variant.values()))
        return by not in of_variant, -chosen["scores"][score]["mean"]

    return sorted(summaries, key=key)


def _features(summaries: dict[str, dict[str, Summary]], order: list[str]) -> list[str]:
    """A line on what each variant reads, where that is not the same."""
    read: dict[str, list[str]] = {}
    for variant in order:
        entry = next(iter(summaries[variant].values()))["facts"].get("front_end")
        if entry:
            read.setdefault(markdown.called(entry), []).append(f"`{variant}`")
    if len(read) < 2:
        return []
    lines = [f"- {features}: {', '.join(variants)}" for features, variants in read.items()]
    return ["Not all variants read the same features:", "", *lines, ""]


def _chance(summary: Summary, score: str) -> str:
    """Chance on each tested corpus, a dash where runs were tested on the corpus of their training."""
    cells = [
        f"{corpus} {name} {described['scores'][key]['chance']:.4f}"
        for corpus, described in (summary.get("by_corpus") or {}).items()
        for key, name in ((score, summary["scores"][score]["name"]), ("uar", "UAR"))
        if described["scores"].get(key, {}).get("chance") is not None
    ]
    return ", ".join(dict.fromkeys(cells)) or "–"


def _agreement(summaries: dict[str, dict[str, Summary]], order: list[str], protocols: list[str]) -> list[str]:
    body = [
        [
            f"`{variant}`",
            protocol,
            str(summaries[variant][protocol]["facts"]["repeats"]),
            *(f"{agreement[key]:.4f}" if agreement else "–" for key in markdown.REPRODUCIBILITY),
        ]
        for variant in order
        for protocol in protocols
        if protocol in summaries[variant]
        for agreement in [summaries[variant][protocol]["reproducibility"]]
    ]
    meanings = "; ".join(f"{key}: {meaning}" for key, meaning in markdown.REPRODUCIBILITY.items())
    note = (
        f"Shares of the test utterances. {meanings}. The more repeats, the fewer utterances all of them agree on, and of two "
        "the GLR is 1: rows of unequal repeats cannot be set against each other. A single one has nothing to agree with (–)."
    )
    return [
        "## Reproducibility",
        "",
        *markdown.table(["variant", "protocol", "repeats", *markdown.REPRODUCIBILITY], body, align="ll"),
        "",
        note,
        "",
    ]


def _differences(content: Overview, name_of_score: str) -> list[str]:
    references, body, sentences = content["references"], [], []
    several = len(references) > 1
    for row in content["differences"]:
        seeds = row["over_repeats"]
        over_repeats = "–"
        if seeds:
            over_repeats = f"[{markdown.signed(seeds['low'])}, {markdown.signed(seeds['high'])}], p {markdown.p_value(seeds['t_p'])}"
            a, b = seeds["repeats"]
            over_repeats += f" ({a} against {b})" if a != b else ""
        body.append(
            [
                f"`{row['variant']}`",
                *([f"`{row['reference']}`"] if several else []),
                row["protocol"],
                markdown.signed(row["difference"]),
                f"[{markdown.signed(row['low'])}, {markdown.signed(row['high'])}]",
                over_repeats,
                "–" if row["published"] is None else markdown.signed(row["published"]),
            ]
        )
        verdict = markdown.verdict(row["variant"], row["reference"], row["low"], row["high"])
        if seeds is None:
            repeats = [
                content["variants"][name][row["protocol"]]["repeats"] for name in (row["variant"], row["reference"])
            ]
            verdict += f" (repeats: {repeats[0]} against {repeats[1]}; other seeds are not covered)"
        else:
            of_seeds = markdown.verdict(row["variant"], row["reference"], seeds["low"], seeds["high"])
            verdict += f"; other seeds: {of_seeds}" if of_seeds != verdict else "; other seeds: the same"
        sentences.append(f"- `{row['protocol']}`, other speakers: {verdict}.")
    head = ["variant", "protocol", "difference", "95 % interval over speakers", "over repeats", "published"]
    title = f"## {name_of_score} minus that of `{references[0]}`"
    note = "Over repeats is a paired t-test, Welch's where their numbers differ (in parentheses), left out (–) where one is 1."
    if several:
        head.insert(1, "reference")
        title = f"## {name_of_score} minus that of a reference"
        note = (
            f"A reference was trained by the same recipe; the references are themselves set against the first. {note}"
        )
    return [title, "", *markdown.table(head, body, align="lll" if several else "ll"), "", note, "", *sentences, ""]
