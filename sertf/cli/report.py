"""Write reports from run directories. Write tables, pages and overviews from stored results. No model is loaded.

The arguments decide what is written: RUNS and --out, --pages, --figures, --readme or --fill with --results, --compare, or
--overview.
"""

import sys
from pathlib import Path

from sertf.cli import shared
from sertf.plots import FORMATS

HELP = "write reports from runs; compare stored results"
EXAMPLES = """\
  sertf report runs/mine --out results
  sertf report --compare results/mine/reslstm_sa/speaker-independent-5 results/mine/svm/speaker-independent-5
  sertf report --overview results/mine --reference reslstm_sa --score uar
  sertf report --figures results --figure-format svg
  sertf report --pages experiments/results
  sertf report --readme README.md --fill docs/results.template.md --results experiments/results
"""


def add_options(parser):
    parser.add_argument("runs", nargs="?", type=Path, metavar="RUNS", help="folder of runs; sertf reports all below it")
    parser.add_argument("--out", type=Path, metavar="RESULTS", help="write <experiment>/<variant>/<protocol> below it")
    parser.add_argument(
        "--compare", nargs=2, type=Path, metavar="RESULT", help="print a paired comparison of two results"
    )
    parser.add_argument(
        "--overview", type=Path, metavar="RESULTS", help="one page over all variants of <results>/<experiment>"
    )
    parser.add_argument(
        "--reference",
        action="append",
        default=[],
        metavar="VARIANT",
        help="with --overview: compare the others with this variant, or with EXPERIMENT/VARIANT; repeatable: each variant "
        "is compared with the reference of its own recipe",
    )
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="EXPERIMENT/VARIANT",
        help="with --overview: show this variant too; repeatable",
    )
    parser.add_argument("--score", help="score to compare by (wa with --overview, uar with --compare)")
    parser.add_argument(
        "--by", metavar="OPTION", help="with --overview: plot the score against this numeric option of the models"
    )
    parser.add_argument(
        "--pages",
        type=Path,
        metavar="RESULTS",
        help="rewrite the page of every stored result from its report.json, and every overview with its options",
    )
    parser.add_argument(
        "--figures",
        type=Path,
        metavar="RESULTS",
        help="redraw the figures of every stored result and overview, and rewrite the pages as --pages does",
    )
    parser.add_argument(
        "--figure-format",
        action="append",
        default=[],
        choices=FORMATS,
        help="format of the figures; svg writes SVG beside PNG; repeatable (png)",
    )
    parser.add_argument(
        "--readme", type=Path, metavar="FILE", help="write the table of headline results into this file"
    )
    parser.add_argument(
        "--fill", type=Path, metavar="TEMPLATE", help="write PAGE.md from PAGE.template.md, with numbers from --results"
    )
    parser.add_argument("--results", type=Path, help="with --readme and --fill: folder of stored results")
    shared.add_json(parser)


def run(options):
    _check(options)
    from sertf import papers
    from sertf.reports import filled_page, readme_table
    from sertf.reports.overview import rewrite_overviews, write_overview
    from sertf.reports.report import compare_results, redraw_figures, rewrite_pages, write_reports

    done, formats = {"pages": []}, options.figure_format
    if options.runs is not None:
        done["pages"] += write_reports(options.runs, options.out, formats)
    if options.figures is not None:
        _say_kept(redraw_figures(options.figures, formats))
    for results in dict.fromkeys((options.figures, options.pages)):
        if results is not None:
            done["pages"] += rewrite_pages(results) + rewrite_overviews(results, formats)
    if options.overview is not None:
        write_overview(
            options.overview,
            references=options.reference,
            score=options.score or "wa",
            beside=options.beside,
            by=options.by,
            figure_formats=formats,
        )
        done["pages"].append(options.overview / "overview.md")
    if options.readme is not None:
        readme_table.update_readme(options.readme, options.results, titles=papers.titles, headlines=papers.headlines)
        done["pages"].append(options.readme)
    if options.fill is not None:
        done["pages"].append(filled_page.fill(options.fill, options.results, papers.titles))
    if options.compare is not None:
        done["comparison"] = compare_results(*options.compare, score=options.score or "uar")
    if options.json:
        shared.print_json(done)
        return
    for line in (*done["pages"], *([done["comparison"]] if options.compare else ())):
        print(line)


def _say_kept(folders):
    """Name the results whose figures of the model were not redrawn."""
    if folders:
        more = f" and {len(folders) - 1} more" if len(folders) > 1 else ""
        print(
            f"The figures of projections, attention and windows in {folders[0]}{more} were not redrawn: "
            "representations.npz is not stored there.",
            file=sys.stderr,
        )


def _check(options):
    from sertf.errors import SertfError

    page = options.readme or options.fill
    pairs = (
        (options.runs, options.out, "RUNS and --out"),
        (page, options.results, f"{'--fill' if options.fill else '--readme'} and --results"),
    )
    for first, second, names in pairs:
        if (first is None) != (second is None):
            raise SertfError(f"{names} belong together; give both.")
    if options.overview is None and (options.reference or options.beside or options.by):
        raise SertfError("--reference, --beside and --by belong to --overview; give it too.")
    if options.score and options.overview is None and options.compare is None:
        raise SertfError("--score belongs to --overview or --compare; give one of them too.")
    drawing = (options.runs, options.pages, options.figures, options.overview)
    if options.figure_format and all(given is None for given in drawing):
        raise SertfError("--figure-format belongs to RUNS, --figures, --pages or --overview; give one of them too.")
    if all(given is None for given in (*drawing, page, options.compare)):
        raise SertfError(
            "Give RUNS and --out, --pages, --figures, --readme or --fill with --results, --compare, or --overview."
        )
