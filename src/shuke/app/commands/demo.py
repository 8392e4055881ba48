"""``shuke demo``: the report of the shipped data in both languages, served on this machine only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

import click
from jinja2 import Environment, PackageLoader

from shuke.app.commands import report
from shuke.base.language import Catalogue, Language, catalogue


@dataclass(frozen=True)
class DemoOptions:
    """What ``shuke demo`` was asked for; port 0 lets the system choose."""

    language: Language
    out: Path
    port: int = 0
    serve: bool = True


class _QuietHandler(SimpleHTTPRequestHandler):
    """Serves the finished files and says nothing about it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Keep the terminal for what the person needs to read."""


def run(options: DemoOptions) -> None:
    """Write both reports below ``options.out`` with a page that leads to them, and serve them until interrupted."""
    text = catalogue("shuke.app", options.language)
    click.echo(text("demo.building"), err=True)
    with resources.as_file(resources.files("shuke.app") / "data" / "online_retail.parquet") as orders:
        asked = report.ReportOptions(orders=(str(orders),), out=options.out, language=options.language, currency="GBP")
        report.write(asked, {language: options.out / language.value for language in Language})
    write_index(options.out)
    if options.serve:
        serve(options.out, port=options.port, text=text)
    else:
        click.echo(text("demo.written", folder=str(options.out.resolve())))


def write_index(folder: Path) -> None:
    """The page that leads to both reports."""
    environment = Environment(loader=PackageLoader("shuke.app", "templates"), autoescape=True)
    texts = {language: catalogue("shuke.app", language) for language in Language}
    page = environment.get_template("demo.html").render(texts=texts)
    (folder / "index.html").write_text(page, encoding="utf-8")


def serve(folder: Path, *, port: int, text: Catalogue) -> None:
    """Serve ``folder`` on 127.0.0.1 until interrupted; port 0 lets the system choose."""
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_QuietHandler, directory=str(folder))) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        click.echo(text("demo.ready", address=address, folder=str(folder.resolve())))
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("", err=True)
