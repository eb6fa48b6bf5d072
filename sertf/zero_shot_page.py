"""What a page says of runs that are tested on other corpora than they were trained on: the languages, and chance."""

from sertf import markdown


def section(columns):
    """The lines of a section on each tested corpus, none for runs on one corpus.

    Args:
        columns: the summaries of a variant by protocol.
    """
    columns = {protocol: column for protocol, column in columns.items() if column.get("by_corpus")}
    if not columns:
        return []
    first = next(iter(columns.values()))
    body, verdicts, counts = [], [], []
    for corpus, described in first["by_corpus"].items():
        emotions = described["emotions"]
        counts.append(
            f"{corpus} {described['utterances']} utterances of {described['speakers']} speakers and {emotions} emotions, so "
            f"that the UAR of chance is 1/{emotions}"
        )
        for key, entry in described["scores"].items():
            name = first["scores"][key]["name"]
            ours = {protocol: column["by_corpus"][corpus]["scores"][key] for protocol, column in columns.items()}
            cells = [f"{markdown.mean_cell(found)}{markdown.bracket(found)}" for found in ours.values()]
            chance = entry["chance"]
            body.append([corpus, name, "–" if chance is None else f"{chance:.4f}", *cells])
            if chance is not None:
                verdicts += [f"- {corpus}, `{protocol}`, {name}: {verdict(found)}." for protocol, found in ours.items()]
    return [
        "## Across corpora, beside chance",
        "",
        f"{trained_and_tested(first['facts'])}, none of whose recordings were trained on: "
        f"{'; '.join(counts)} and its WA the share of the most frequent emotion. Chance is the best that answers can score "
        "which do not depend on the clip; in brackets the 95 % interval over speakers.",
        "",
        *markdown.table(["tested on", "score", "chance", *(f"ours, `{name}`" for name in columns)], body, align="ll"),
        "",
        *verdicts,
        "",
    ]


def trained_and_tested(facts):
    """The corpora and their languages, as the start of a sentence."""
    trained, tested = (
        ", ".join(
            f"{name} ({', '.join(found['languages']) or 'no language stated'})"
            for name, found in facts["across"][part].items()
        )
        for part in ("trained", "tested")
    )
    return f"Trained on {trained}, tested on {tested}"


def verdict(entry):
    """What the interval of a score says beside its chance, as half a sentence."""
    if entry["low"] is None:
        return "one speaker gives no interval to set beside chance"
    if entry["low"] > entry["chance"]:
        return "above chance"
    return "below chance" if entry["high"] < entry["chance"] else "a difference from chance is not shown"
