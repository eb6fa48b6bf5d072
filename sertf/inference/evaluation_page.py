"""The folder of an evaluation: its page in Markdown, its numbers as JSON, the predictions and the figures."""

import json
from pathlib import Path

from sertf.errors import SertfError
from sertf.evaluation.calibration import BINS, ERRORS
from sertf.files import check_writable, replaced_folder
from sertf.inference.evaluation import ENROLMENTS, SCORES, Evaluation, Score, UnderCondition
from sertf.reports import markdown
from sertf.reports.breakdowns import by_group
from sertf.runs.stored import write_table

NUMBERS = "evaluation.json"
PREDICTIONS = "predictions.csv.gz"
PAGE = "report.md"
FIGURES = {
    "confusion.png": "Confusion matrix; a row's share in percent",
    "reliability.png": "Accuracy by confidence; on the diagonal a confidence means what it says",
    "groups.png": "Clips by group, right and wrong",
}
"""Caption by file name."""
FEW_SPEAKERS = 5
"""An interval over fewer speakers says little."""


def write_evaluation(found: Evaluation, out: Path | str) -> Path:
    """Write an evaluation's page, numbers, predictions and figures into a folder.

    Args:
        found: the evaluation.
        out: folder to write. It may replace an evaluation there, and nothing else.

    Returns:
        The path of the page.

    Raises:
        SertfError: the folder holds something else, or cannot be written to.
    """
    from sertf.plots.scores import confusion, reliability, right_and_wrong, save_figure

    out = Path(out)
    check_place(out)
    drawn = {
        "confusion.png": confusion(found.confusion, found.emotions),
        "reliability.png": reliability(found.calibration["bins"]),
    }
    if found.groups:
        panels = {
            column: {name: (group["right"], group["wrong"]) for name, group in entry["groups"].items()}
            for column, entry in found.groups.items()
        }
        drawn["groups.png"] = right_and_wrong(panels)
    with replaced_folder(out) as staging:
        for name, figure in drawn.items():
            save_figure(figure, staging / name)
        write_table(staging / PREDICTIONS, found.predictions)
        text = json.dumps(found.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        (staging / NUMBERS).write_text(text, encoding="utf-8")
        (staging / PAGE).write_text(render_evaluation(found, figures=list(drawn)), encoding="utf-8")
        staging.chmod(0o755)  # whatever the umask
    return out / PAGE


def check_place(out: Path) -> None:
    """Raise a `SertfError` now if an evaluation could not be written to a folder."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / NUMBERS).is_file())):
        raise SertfError(
            f"{out} holds something else than an evaluation and stays as it is; give another --out folder."
        )
    check_writable(out.parent, "--out folder")


def render_evaluation(found: Evaluation, *, figures: list[str]) -> str:
    """The page of an evaluation, as Markdown.

    Args:
        found: the evaluation.
        figures: file names of `FIGURES` that lie beside the page.
    """
    values = found.calibration["values"]
    columns = {"any emotion of the model": found.scores}
    if found.present != found.emotions:
        columns["the clips' emotions alone"] = found.among_present
    clips = {name: sum(row) for name, row in zip(found.emotions, found.confusion)}
    lines = [
        f"# {title(found)}",
        "",
        *(line for note in notes(found) for line in (note, "")),
        "## Scores",
        "",
        *markdown.table(
            [f"score, 95 % interval over {found.drawn}", *columns],
            [[name, *(score_text(column[key]) for column in columns.values())] for key, name in SCORES.items()],
        ),
        "",
        "The model answers with the emotion of its largest score."
        + (" An answer that no clip has counts as wrong in the first column." if len(columns) > 1 else ""),
        "",
        "## Recall by emotion",
        "",
        *markdown.table(
            ["emotion", "clips", "recall"],
            [[name, clips[name], f"{value:.4f}"] for name, value in found.recall.items()],
        ),
        "",
        "## Calibration",
        "",
        *markdown.table(
            ["error, 0 is best", "value"], [[name, f"{values[key][0]:.4f}"] for key, name in ERRORS.items()]
        ),
        "",
        f"The ECE has {BINS} bins. Scores count as shares of their sum.",
        "",
        *by_group(found.groups, drawn=found.drawn, repeats=False),
    ]
    if found.conditions:
        lines += ["## Recording conditions", "", *conditions_table(found.conditions), "", CONDITIONS_NOTE, ""]
    lines += markdown.figures([(name, FIGURES[name]) for name in figures])
    lines += [
        "## Files",
        "",
        f"`{PREDICTIONS}` holds the scores of every clip, `{NUMBERS}` the numbers of this page.",
        "",
    ]
    return "\n".join(lines).rstrip() + "\n"


CONDITIONS_NOTE = (
    "The same clips, altered before the model hears them. An answer stays if it is the one to the clip as recorded."
)


def title(found: Evaluation) -> str:
    """What was evaluated on what, in one line."""
    speakers = f" of {found.speakers} speaker{'s' if found.speakers > 1 else ''}"
    if found.speakers == found.utterances:  # they are not known
        speakers = ""
    return f"{found.model} on {', '.join(found.corpora)}: {found.utterances} clips{speakers}"


def notes(found: Evaluation) -> list[str]:
    """Sentences on what an evaluation counts, the weightiest first."""
    lines = []
    if found.seen:
        lines.append(
            f"The model was trained on clips of {'this corpus' if len(found.corpora) == 1 else 'these corpora'}. {found.seen} of the {found.utterances} clips may be among "
            "them, so these scores are no measure of new speakers."
        )
    if found.held_out:
        lines.append(f"The model was tested on the speakers of {found.held_out} clips. It never trained on them.")
    if not found.seen and not found.held_out:
        lines.append("The model was trained on none of these corpora.")
    if found.enrolled is not None:
        lines.append(ENROLMENTS.get(found.enrolled, "The model can enrol speakers. No speaker was enrolled here."))
    lines.append(f"Emotions: {', '.join(found.present)}. Guessing has a UAR of {found.chance:.4f}.")
    if found.left_out:
        counts = ", ".join(f"{name} {count}" for name, count in found.left_out.items())
        lines.append(f"Left out: {_clips(sum(found.left_out.values()))} of emotions that the model lacks ({counts}).")
    if found.skipped:
        lines.append(f"Left out: {_clips(found.skipped)} that cannot be used.")
    if found.drawn == "clips":
        lines.append(
            "The table does not tell several speakers apart, so intervals are over clips. They are too narrow for new "
            "speakers."
        )
    elif found.speakers < FEW_SPEAKERS:
        lines.append(f"Intervals over {found.speakers} speakers say little about others.")
    return lines


def conditions_table(rows: list[UnderCondition]) -> list[str]:
    """The table of recording conditions, as lines of Markdown."""
    return markdown.table(CONDITIONS_HEAD, condition_cells(rows))


CONDITIONS_HEAD = ["condition", "UAR", "answers that stay", "mean confidence"]


def condition_cells(rows: list[UnderCondition]) -> list[list[str]]:
    """The cells of the table of recording conditions."""
    return [[row.condition, f"{row.uar:.4f}", f"{100 * row.same:.1f} %", f"{row.confidence:.2f}"] for row in rows]


def score_text(entry: Score) -> str:
    """A score with its interval."""
    return f"{entry.value:.4f} [{entry.low:.4f}, {entry.high:.4f}]"


def _clips(count: int) -> str:
    return f"{count} clip{'s' if count != 1 else ''}"
