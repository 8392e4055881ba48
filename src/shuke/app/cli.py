"""The command line: what can be said, in the person's language. What a command does is in ``commands``.

A command's module is loaded only when the command is called, so that ``shuke --help`` answers at once although the
analytical core takes a second to load.
"""

from __future__ import annotations

import gc
import gettext
import sys
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import click

from shuke.base.errors import BadInput, ShukeError
from shuke.base.language import Language, catalogue, explain

FIELDS = (
    *("customer", "order", "time", "amount", "quantity", "price", "product", "product_name", "category", "brand"),
    *("discount", "cost", "channel", "store", "region", "currency", "status"),
)
FORMATS = ("html", "pdf", "xlsx", "json")
VOCABULARIES = ("customer", "contact")
MODELS = ("auto", "bg-nbd", "mbg-nbd", "bg-cnbd-k", "mbg-cnbd-k", "pareto-nbd", "nbd", "bg-bb")

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

# The command-line library asks gettext for its own words ("Usage", "Missing option").
gettext.bindtextdomain("messages", str(Path(__file__).parent / "locale"))

_terminal_language = Language.of_environment()
_text = catalogue("shuke.app", _terminal_language)

Command = TypeVar("Command", bound=Callable[..., Any])


class LanguageType(click.Choice[str]):
    """``zh-CN`` or ``en``, as the enum."""

    def __init__(self) -> None:
        super().__init__([language.value for language in Language])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The language of this name."""
        return Language(super().convert(value, param, ctx))


class MapType(click.ParamType[Any]):
    """``field=column,…`` as a dictionary."""

    name = "FIELD=COLUMN,…"
    fields: tuple[str, ...] | None = FIELDS

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002 - click's signature
        """The columns by field; BadInput ``app.bad_map`` for an unknown field or a missing part."""
        if isinstance(value, dict):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        mapping = {field.strip(): column.strip() for field, _, column in pairs}
        if not all(column and (self.fields is None or field in self.fields) for field, column in mapping.items()):
            raise BadInput("app.bad_map", given=value, fields=self.fields or ("phone", "member_number", "city", "…"))
        return mapping


class AnyMapType(MapType):
    """``field=column,…`` as a dictionary, for files whose fields the brand itself defines."""

    fields = None


class DateType(click.ParamType[Any]):
    """An ISO date, as the moment at which that day begins."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002 - click's signature
        """The midnight that begins the day; BadInput ``app.bad_date`` for anything else."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d")  # noqa: DTZ007 - the brand's own time, which has no zone here
        except ValueError:
            raise BadInput("app.bad_date", given=value) from None


class FormatsType(click.ParamType[Any]):
    """``html,pdf,…`` as a tuple."""

    name = "html,pdf,xlsx,json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002 - click's signature
        """The formats, each once; BadInput ``app.bad_format`` for an unknown one."""
        if isinstance(value, tuple):
            return value
        formats = tuple(dict.fromkeys(part.strip().lower() for part in value.split(",") if part.strip()))
        unknown = [name for name in formats if name not in FORMATS]
        if unknown or not formats:
            raise BadInput("app.bad_format", given=value, known=FORMATS)
        return formats


def _run(command: str, **values: Any) -> None:
    """Load the command's module and run it: ``report`` is ``commands.report.run(ReportOptions(...))``."""
    # All that is imported stays: to look through it for garbage, again and again while it grows and later, is in vain.
    gc.disable()
    try:
        module = import_module(f"shuke.app.commands.{command}")
    finally:
        gc.freeze()
        gc.enable()
    module.run(getattr(module, f"{command.capitalize()}Options")(**values))


def _reading(command: Command) -> Command:
    """What every command that reads order files takes."""
    for decorate in reversed(
        (
            click.argument("orders", nargs=-1, metavar="ORDERS…"),
            click.option("--map", "mapping", type=MapType(), default={}, help=_text("help.map")),
            click.option("--currency", metavar="CODE", help=_text("help.currency")),
            click.option("--timezone", metavar="ZONE", help=_text("help.timezone")),
            click.option(
                "--lang", "language", type=LanguageType(), default=_terminal_language.value, help=_text("help.language")
            ),
            _running,
        )
    ):
        command = decorate(command)
    return command


def _running(command: Command) -> Command:
    """The engine of a command that may need many machines."""
    return click.option(
        "--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", help=_text("help.engine")
    )(command)


def _speaking(command: Command) -> Command:
    """The language of a command that has nothing else to say it in."""
    return click.option(
        "--lang", "language", type=LanguageType(), default=_terminal_language.value, help=_text("help.messages")
    )(command)


def _listening(command: Command) -> Command:
    """Where a server listens, before what the environment says."""
    host = click.option("--host", metavar="ADDRESS", help=_text("help.host"))
    return host(click.option("--port", type=click.IntRange(0, 65535), help=_text("help.web_port"))(_speaking(command)))


@click.group(
    help=_text("help.program"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "show_default": True},
)
@click.version_option(version("shuke"), help=_text("help.version"))
def program() -> None:
    """Stand at the door; the commands below do the work."""


@program.command(help=_text("help.report"))
@_reading
@click.option("--from-database", is_flag=True, help=_text("help.from_database"))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help=_text("help.out_folder"))
@click.option("--as-of", type=DateType(), help=_text("help.as_of"))
@click.option("--margin", metavar="RATE|COLUMN", help=_text("help.margin"))
@click.option("--costs", type=click.Path(path_type=Path), help=_text("help.costs"))
@click.option("--horizon-days", type=click.IntRange(1, 3650), default=365, help=_text("help.horizon"))
@click.option("--brand", metavar="NAME", default="", show_default=False, help=_text("help.brand"))
@click.option("--stages", metavar="FILE", help=_text("help.stages_report"))
@click.option("--format", "formats", type=FormatsType(), default=",".join(FORMATS), help=_text("help.format"))
def report(**values: Any) -> None:
    """Write the report."""
    _run("report", **values)


@program.command(help=_text("help.facts"))
@_reading
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help=_text("help.out_parquet"))
@click.option("--as-of", type=DateType(), help=_text("help.as_of"))
@click.option("--margin", metavar="RATE|COLUMN", help=_text("help.margin"))
@click.option("--horizon-days", type=click.IntRange(1, 3650), default=365, help=_text("help.horizon"))
@click.option("--model", type=click.Choice(MODELS[:-1]), default="auto", help=_text("help.model"))
@click.option("--stages", metavar="FILE|customer|contact", help=_text("help.stages_facts"))
def facts(**values: Any) -> None:
    """Write the facts."""
    _run("facts", **values)


@program.command(help=_text("help.clv"))
@_reading
@click.option("--model", type=click.Choice(MODELS), default="auto", help=_text("help.model"))
@click.option("--calibration-end", type=DateType(), help=_text("help.calibration_end"))
@click.option("--unit", type=click.Choice(["day", "week"]), default="week", help=_text("help.unit"))
@click.option("--json", "json_file", default="-", metavar="FILE|-", help=_text("help.json"))
def clv(**values: Any) -> None:
    """Fit one model."""
    _run("clv", **values)


@program.command(help=_text("help.stages"))
@click.argument("vocabulary", type=click.Choice(VOCABULARIES), default="customer")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help=_text("help.out_stages"))
@click.option("--lang", "language", type=LanguageType(), default=_terminal_language.value, help=_text("help.language"))
def stages(**values: Any) -> None:
    """Write the shipped stages."""
    _run("stages", **values)


@program.command(help=_text("help.demo"))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="demo", help=_text("help.out_folder"))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help=_text("help.port"))
@click.option("--server-port", type=click.IntRange(0, 65535), default=0, help=_text("help.server_port"))
@click.option("--serve/--no-serve", default=True, help=_text("help.serve"))
@click.option("--orders", type=click.Path(path_type=Path, dir_okay=False, exists=True), hidden=True)
@_speaking
def demo(**values: Any) -> None:
    """Fill a server with real orders, and serve it and both reports."""
    _run("demo", **values)


@program.command(help=_text("help.serve_all"))
@_listening
def serve(**values: Any) -> None:
    """Run web, worker and database."""
    _run("serve", part="serve", **values)


@program.command(help=_text("help.web"))
@_listening
@click.option("--socket", "socket_number", type=int, hidden=True)
def web(**values: Any) -> None:
    """Run the web server alone."""
    _run("serve", part="web", **values)


@program.command(help=_text("help.worker"))
@_speaking
def worker(**values: Any) -> None:
    """Run a worker alone."""
    _run("serve", part="worker", **values)


@program.command(help=_text("help.doctor"))
@_speaking
def doctor(**values: Any) -> None:
    """Say what is wrong."""
    _run("doctor", **values)


@program.command(help=_text("help.lake"))
@click.argument("action", type=click.Choice(["copy", "rebuild"]))
@_speaking
def lake(**values: Any) -> None:
    """Bring the lake up to date."""
    _run("lake", **values)


@program.command(help=_text("help.refresh"))
@click.option("--as-of", type=DateType(), help=_text("help.refresh_as_of"))
@click.option("--currency", metavar="CODE", help=_text("help.refresh_currency"))
@click.option("--horizon-days", type=click.IntRange(1, 3650), default=365, help=_text("help.horizon"))
@_speaking
def refresh(**values: Any) -> None:
    """Work out the facts in the database."""
    _run("refresh", **values)


@program.group("segments", help=_text("help.segments"))
def segments() -> None:
    """Look after the segments; the command below says how."""


@segments.command("build", help=_text("help.segments_build"))
@_running
@_speaking
def build_segments(**values: Any) -> None:
    """Build every segment."""
    _run("segments", **values)


@program.group("keys", help=_text("help.keys"))
def keys() -> None:
    """Look after the master keys; the commands below say how."""


@keys.command("rotate", help=_text("help.keys_rotate"))
@_speaking
def rotate_keys(**values: Any) -> None:
    """Rotate the master key."""
    _run("keys", **values)


@program.group("access", help=_text("help.access"))
def access() -> None:
    """Say who may do what; the commands below say how."""


@access.command("key", help=_text("help.access_key"))
@click.option("--name", required=True, help=_text("help.key_name"))
@click.option("--role", required=True, help=_text("help.key_role"))
@click.option("--place", "places", multiple=True, help=_text("help.key_place"))
@click.option("--days", type=click.IntRange(1, 730), default=365, help=_text("help.key_days"))
@_speaking
def make_access_key(**values: Any) -> None:
    """Make an API key."""
    _run("access", action="key", **values)


@access.command("owner", help=_text("help.access_owner"))
@click.option("--email", required=True, help=_text("help.owner_email"))
@_speaking
def let_owner_in(**values: Any) -> None:
    """Let an owner in again."""
    _run("owner", **values)


@program.group("audit", help=_text("help.audit"))
def audit() -> None:
    """Look after the audit log; the command below says how."""


@audit.command("verify", help=_text("help.audit_verify"))
@click.option("--head", metavar="NUMBER:HASH", help=_text("help.audit_head"))
@_speaking
def verify_audit(**values: Any) -> None:
    """Check every line."""
    _run("audit", **values)


@program.group("sources", help=_text("help.sources"))
def sources() -> None:
    """Say who may send events; the commands below say how."""


@sources.command("add", help=_text("help.sources_add"))
@click.argument("name")
@click.option("--currency", metavar="CODE", help=_text("help.sources_currency"))
@_speaking
def add_source(**values: Any) -> None:
    """Make a write key."""
    _run("sources", action="add", **values)


@sources.command("list", help=_text("help.sources_list"))
@_speaking
def list_sources(**values: Any) -> None:
    """List the sources."""
    _run("sources", action="list", **values)


@sources.command("disable", help=_text("help.sources_disable"))
@click.argument("name")
@_speaking
def disable_source(**values: Any) -> None:
    """Refuse a source's key."""
    _run("sources", action="disable", **values)


@sources.command("rejects", help=_text("help.sources_rejects"))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help=_text("help.out_rejects"))
@_speaking
def write_rejects(**values: Any) -> None:
    """Write the events that could not be used."""
    _run("sources", action="rejects", **values)


@program.group("import", help=_text("help.import"))
def import_files() -> None:
    """Bring files into the database; the commands below say which."""


def _importing(command: Command) -> Command:
    """What every import takes."""
    for decorate in reversed(
        (
            click.argument("files", nargs=-1, required=True, metavar="FILE…"),
            click.option("--source", default="files", metavar="NAME", help=_text("help.source")),
            click.option("--dry-run", is_flag=True, help=_text("help.dry_run")),
            click.option(
                "--rejects",
                "rejects_folder",
                type=click.Path(path_type=Path, file_okay=False),
                default="rejected",
                help=_text("help.rejects"),
            ),
        )
    ):
        command = decorate(command)
    return _speaking(command)


@import_files.command("orders", help=_text("help.import_orders"))
@_importing
@click.option("--map", "mapping", type=MapType(), default={}, help=_text("help.map"))
@click.option("--currency", metavar="CODE", help=_text("help.import_currency"))
@click.option("--timezone", metavar="ZONE", help=_text("help.import_timezone"))
@click.option("--identity-kind", metavar="KIND", help=_text("help.identity_kind"))
def import_orders(**values: Any) -> None:
    """Import orders."""
    _run("imports", kind="orders", **values)


@import_files.command("customers", help=_text("help.import_customers"))
@_importing
@click.option("--map", "mapping", type=AnyMapType(), default={}, help=_text("help.map"))
def import_customers(**values: Any) -> None:
    """Import customers."""
    _run("imports", kind="customers", **values)


@import_files.command("products", help=_text("help.import_products"))
@_importing
@click.option("--map", "mapping", type=MapType(), default={}, help=_text("help.map"))
@click.option("--currency", metavar="CODE", help=_text("help.import_currency"))
def import_products(**values: Any) -> None:
    """Import products."""
    _run("imports", kind="products", **values)


@import_files.command("costs", help=_text("help.import_costs"))
@_importing
@click.option("--currency", metavar="CODE", help=_text("help.import_currency"))
def import_costs(**values: Any) -> None:
    """Import costs."""
    _run("imports", kind="costs", **values)


@import_files.command("events", help=_text("help.import_events"))
@_importing
@click.option("--map", "mapping", type=AnyMapType(), default={}, help=_text("help.map"))
@click.option("--timezone", metavar="ZONE", help=_text("help.import_timezone"))
def import_events(**values: Any) -> None:
    """Import events."""
    _run("imports", kind="events", **values)


def _language_asked_for(arguments: list[str]) -> Language:
    """The language in which to explain an error that arises before the options are read."""
    for index, argument in enumerate(arguments):
        asked = argument.partition("=")[2] if argument.startswith("--lang=") else None
        if argument == "--lang":
            asked = next(iter(arguments[index + 1 :]), None)
        if asked in set(Language):
            return Language(asked)
    return _terminal_language


def main() -> None:
    """Run the program: 0 when all went well, 2 with a clear text about bad input, 130 when interrupted."""
    try:
        program.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ShukeError as error:
        click.echo(explain(error, _language_asked_for(sys.argv[1:])), err=True)
        sys.exit(EXIT_BAD_INPUT)
    except (Exception, KeyboardInterrupt) as error:
        if not _was_interrupted(error):
            raise
        click.echo(catalogue("shuke.app", _language_asked_for(sys.argv[1:]))("errors.cancelled"), err=True)
        sys.exit(EXIT_INTERRUPTED)


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether a person's Ctrl-C is what it comes from: engines turn that into errors of their own."""
    while error is not None and not isinstance(error, click.Abort | KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
