"""The files of a report in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shuke.reports.exports.charts import picture
from shuke.reports.exports.html import write_html
from shuke.reports.exports.json import write_json
from shuke.reports.exports.lists import write_lists
from shuke.reports.exports.outline import outline
from shuke.reports.exports.pdf import write_pdf
from shuke.reports.exports.xlsx import write_xlsx
from shuke.reports.model import Report

__all__ = ["write_report"]

THREADS = 2


def write_report(report: Report, folder: Path, *, formats: Sequence[str], linked: bool = True) -> dict[str, list[Path]]:
    """Write ``report.<format>`` for each format that is asked for, and the lists; says where they are.

    ``linked`` is whether the page leads to the lists, which then have to stay beside it.

    Pictures and the PDF are made by native code beside Python, so threads share the work.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"report.{name}" for name in ("html", "pdf", "xlsx", "json") if name in formats}
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = []
        if "html" in paths or "pdf" in paths:
            laid_out = outline(report)
            # Drawn once for both.
            drawn = pool.map(picture, laid_out.drawings.values())
            pictures = dict(zip(laid_out.drawings, drawn, strict=True))
            if "pdf" in paths:
                waiting.append(pool.submit(write_pdf, report, paths["pdf"], laid_out=laid_out, pictures=pictures))
            if "html" in paths:
                write_html(report, paths["html"], laid_out=laid_out, pictures=pictures, linked=linked)
        if "xlsx" in paths:
            write_xlsx(report, paths["xlsx"])
        if "json" in paths:
            write_json(report, paths["json"])
        lists = write_lists(report, folder)
        for job in waiting:
            job.result()
    return {**{name: [path] for name, path in paths.items()}, "lists": lists}
