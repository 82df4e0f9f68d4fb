"""`tinyedge compare`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from tinyedge.cli.options import building, shared
from tinyedge.cli.ui import Ui, terminal_columns
from tinyedge.jobs.compare import RunChoices, compare
from tinyedge.paths import write_whole
from tinyedge.report.compare import Thresholds, read_thresholds, require_no_regression
from tinyedge.report.compare.forms import compare_cases, compare_document, compare_markdown, render_comparisons
from tinyedge.report.compare.html import compare_html
from tinyedge.report.compare.pareto import find_pareto, pareto_svg, render_pareto
from tinyedge.report.files import require_folder
from tinyedge.report.junit import junit_xml

_FILE = click.Path(dir_okay=False, path_type=Path)
_EXAMPLES = """\b
Examples: tinyedge compare old.json new.json
          tinyedge compare kws.tflite kws_small.tflite --board nrf52840
          tinyedge compare base/ now/ --thresholds gate.toml --junit gate.xml"""


@click.command("compare", epilog=_EXAMPLES)
@click.argument("things", metavar="A B [C]...", nargs=-1)
@building
@click.option("--thresholds", type=_FILE, metavar="FILE.toml", help="What may grow by how much. Default: all by 3 %.")
@click.option("--layers", "all_layers", is_flag=True, help="Show every layer, not only those that differ.")
@click.option("--pareto", metavar="X,Y", help="The figures of the picture, as `instructions,flash_bytes`.")
@click.option("--svg", type=_FILE, help="Draw the picture into this file.")
@click.option("--html", type=_FILE, help="Write the comparison as a page.")
@click.option("--junit", type=_FILE, help="Write what was judged as JUnit XML.")
@click.option("--markdown", type=_FILE, help="Write a summary for a pull request.")
@click.option("--report-only", is_flag=True, help="Exit 0 whatever is found.")
@shared
def command(
    things: tuple[str, ...],
    how: RunChoices,
    thresholds: Path | None,
    all_layers: bool,
    pareto: str | None,
    svg: Path | None,
    html: Path | None,
    junit: Path | None,
    markdown: Path | None,
    report_only: bool,
    ui: Ui,
) -> None:
    """Compare runs, models or folders with the first of them, by figure and by layer; exit 1 on a regression.

    Each is a document that `run`, `verify`, `bench` or `build` printed with `--json`, a folder of such documents, or a
    model, which is built and run now. Three or more stand side by side, with a picture of which no other beats.
    """
    for path in (svg, html, junit, markdown):
        if path is not None:
            require_folder(path)
    limits = Thresholds() if thresholds is None else read_thresholds(thresholds)
    with ui.commands_logged():
        comparisons = compare(things, limits, how, ui)
    subjects = comparisons[0].subjects
    wanted = pareto is not None or svg is not None or len(subjects) > 2
    front = find_pareto(subjects, pareto) if wanted and len(comparisons) == 1 else None
    text = render_comparisons(comparisons, all_layers=all_layers)
    if front is not None:
        text += f"\n{render_pareto(front, terminal_columns() or 80)}\n"
    made: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (svg if front is not None else None, lambda: pareto_svg(front) if front is not None else ""),
        (html, lambda: compare_html(comparisons, front)),
        (junit, lambda: junit_xml("tinyedge.compare", compare_cases(comparisons))),
        (markdown, lambda: compare_markdown(comparisons)),
    )
    for path, content in [(path, form().encode()) for path, form in made if path is not None]:
        write_whole(path, content)
    ui.result(text, compare_document(comparisons, front))
    if svg is not None and front is None:
        ui.note(f"no picture in {svg}: it takes two or more single runs with two figures in common")
    if not report_only:
        require_no_regression(comparisons)
