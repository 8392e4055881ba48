"""``shuke demo``: a server of its own with the real orders of a shop, what is simulated around them, and both reports.

The orders are moved by whole weeks, so that the last one is of the week before the demo is first made.
The server's data are in ``data`` below one folder, if PostgreSQL can get in there; what is served to look at is in
``site``. A demo that was interrupted goes on where it was; one that is complete only starts the server.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

import click
from rich.console import Console

from shuke import access, collect, lifecycle, profiles
from shuke.app import terminal
from shuke.app.commands import report
from shuke.app.commands.imports import ImportsOptions, bring_in
from shuke.app.commands.serve import Told, address_of, listening, stay
from shuke.app.demo import filling, moving, pages
from shuke.app.demo.notes import OWNER, Notes
from shuke.app.place import open_workplace, own_database
from shuke.base.errors import BadInput, Conflict
from shuke.base.language import Catalogue, Language, catalogue
from shuke.base.progress import part
from shuke.insight import CUSTOMER_STAGES
from shuke.platform import EmbeddedPostgres, Settings, Workplace, configure_logs

__all__ = ["DemoOptions", "run"]

SEED = 20111209
CURRENCY = "GBP"
#: Days before the present at which facts are worked out, too, so that it is seen how customers have moved. Not seven:
#: who has moved between the first two did so, as far as is known, at the second, which is not of the last week.
REFRESHED_BEFORE = (91, 8)
#: The source that events of the person's own come from.
SITE = "demo-site"


@dataclass(frozen=True)
class DemoOptions:
    """What ``shuke demo`` was asked for; port 0 lets the system choose.

    ``orders`` is a Parquet file with the columns of the shipped one, which is what None means; it is moved likewise.
    """

    language: Language
    out: Path
    port: int = 0
    server_port: int = 0
    serve: bool = True
    orders: Path | None = None


def run(options: DemoOptions) -> None:
    """Make what is not there yet, and serve it until interrupted.

    Raises:
        BadInput: ``app.not_a_demo`` where the data folder is somebody else's.
    """
    # Whoever ends us ends the database with us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    configure_logs("text", level=logging.WARNING)
    text = catalogue("shuke.app", options.language)
    notes = Notes.of(_data_folder(options.out.resolve()))
    settings = _settings(options, notes.folder)
    with _database(settings, text) as postgres, open_workplace(settings) as place:
        _fill(options, place, notes, text)
        if options.serve:
            _serve(options, place, postgres, notes, text)
        else:
            pages.write_pages(_site(options), place, notes, first=options.language)
            click.echo(text("demo.written", folder=str(_site(options))))


def _data_folder(out: Path) -> Path:
    """Beside the pages; where those are root's alone, always the same folder that PostgreSQL can get into."""
    beside = out / "data"
    # What is there already is looked at first, so that nobody's data are passed by without a word.
    if beside.exists() or EmbeddedPostgres.fits(beside):
        return beside
    return Path("/var/lib") / f"shuke-demo-{sha256(os.fsencode(out)).hexdigest()[:12]}"


def _settings(options: DemoOptions, data: Path) -> Settings:
    """Those of the environment but for what could lead to the data or the keys of a brand, or out of this machine."""
    return replace(
        Settings.of_environment(),
        database_url=None,
        data_folder=data,
        master_key_file=None,
        host="127.0.0.1",
        port=options.server_port,
        time_zone="UTC",
    )


@contextmanager
def _database(settings: Settings, text: Catalogue) -> Iterator[EmbeddedPostgres | None]:
    if Settings.of_environment().database_url is not None:
        click.echo(text("demo.own_database"), err=True)
    with own_database(settings, text) as postgres:
        yield postgres


def _fill(options: DemoOptions, place: Workplace, notes: Notes, text: Catalogue) -> None:
    """Do the steps that have not come to their end yet, in order. Each may be done again without harm."""
    with contextlib.ExitStack() as stack:
        shipped = resources.files("shuke.app") / "data" / "online_retail.parquet"
        given = options.orders or stack.enter_context(resources.as_file(shipped))
        steps: dict[str, Callable[[Path], None]] = {
            "orders": partial(_import_orders, options, place),
            "facts": lambda _: _add_facts(options, place, notes),
            "reports": partial(_write_reports, options),
        }
        left = [step for step in steps if step not in notes.done]
        orders = stack.enter_context(_moved(given, notes)) if left else given
        for number, (step, work) in enumerate(steps.items(), 1):
            if step in left:
                click.echo(text("demo.step", number=number, steps=len(steps), what=text(f"demo.{step}")), err=True)
                work(orders)
                notes.finish(step)


@contextmanager
def _moved(given: Path, notes: Notes) -> Iterator[Path]:
    """These orders as if the last were of the week before the demo was first made, in a file that is there meanwhile.

    It has the same name as what is given, since that is what the report says the orders are from.
    """
    if notes.weeks is None:
        notes.weeks = moving.weeks_to_the_present(moving.last_day(given), datetime.now(UTC).date())
        notes.save()
    folder = notes.folder / "moved"
    folder.mkdir(exist_ok=True)
    try:
        moving.write_moved(given, folder / given.name, notes.weeks)
        yield folder / given.name
    finally:
        shutil.rmtree(folder)


def _import_orders(options: DemoOptions, place: Workplace, orders: Path) -> None:
    asked = ImportsOptions(
        kind="orders",
        files=(str(orders),),
        language=options.language,
        currency=CURRENCY,
        source="online-retail",
        rejects_folder=options.out / "rejected",
    )
    bring_in(asked, place)


def _add_facts(options: DemoOptions, place: Workplace, notes: Notes) -> None:
    now = datetime.now(UTC)
    console = Console(stderr=True, highlight=False)
    with terminal.bar(console, options.language) as hear:
        hear("app.simulate", 0.0)
        with terminal.workshop("duckdb") as (engine, _):
            history = filling.read_history(place, engine)
        if simulated := filling.add_simulated(place, history, seed=SEED, now=now):
            notes.counts = {"customers": history.customers, "orders": len(history.order_at), "simulated": simulated}
            notes.save()
        # As the server does it every night.
        as_of = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for days in REFRESHED_BEFORE:
            before = as_of - timedelta(days=days)
            # Nothing was sold by then; or this was done before the demo was interrupted.
            with contextlib.suppress(BadInput, Conflict):
                lifecycle.refresh(place, as_of=before, now=now, currency=CURRENCY, progress=part(hear, 0.5, 0.7))
        lifecycle.refresh(place, as_of=as_of, now=now, currency=CURRENCY, progress=part(hear, 0.7, 1.0))
    with place.database.read() as tx:
        best = lifecycle.most_valuable(tx)
        chosen = [best[stage.code] for stage in CUSTOMER_STAGES.stages if stage.code in best]
        seen = [profiles.profile_360(tx, place.keyring, one.customer_id, now, fields=access.CLEAR) for one in chosen]
    notes.customers = [(str(one.customer_id), one.identities[0].value or "") for one in seen]


def _write_reports(options: DemoOptions, orders: Path) -> None:
    asked = report.ReportOptions(
        orders=(str(orders),), out=_site(options), language=options.language, currency=CURRENCY
    )
    folders = {language: _site(options) / language.value for language in Language}
    report.write(asked, folders, show_recognised=False)


def _site(options: DemoOptions) -> Path:
    """What is served to look at, and nothing else: the data folder beside it holds keys."""
    return options.out.resolve() / "site"


def _serve(
    options: DemoOptions, place: Workplace, postgres: EmbeddedPostgres | None, notes: Notes, text: Catalogue
) -> None:
    told = Told()
    if not notes.write_key:
        with place.database.begin() as tx:
            notes.write_key = collect.add_source(tx, SITE, now=datetime.now(UTC), currency=CURRENCY)
        notes.save()
    _let_ask(place, notes)
    _let_in(place, notes)
    log_file = notes.folder / "server.log"
    with (
        listening(place.settings) as listener,
        _site_server(_site(options), options.port) as site,
        log_file.open("ab") as log,
    ):
        server = address_of(listener)
        pages.write_pages(_site(options), place, notes, first=options.language, server=server)

        def greet(address: str) -> bool:
            if not _answers(address):
                return False
            click.echo(pages.where_things_are(options.language, notes, site=site, server=address, log=log_file))
            return True

        stay(place.settings, text, postgres, listener, told, greet, output=log)


def _let_ask(place: Workplace, notes: Notes) -> None:
    """See to it that the person has an API key that is good, which may do everything."""
    now = datetime.now(UTC)
    with place.database.begin() as tx:
        if access.reader_of_key(tx, notes.api_key, now) is None:
            notes.api_key = access.make_key(tx, access.COMMAND, access.NewKey(name="demo", role="owner"), now)[1]
    notes.save()


def _let_in(place: Workplace, notes: Notes) -> None:
    """See to it that the person can sign in, as the owner; whoever has become one since stays so."""
    given = access.NewUser(name="Demo", email=OWNER, role="owner", language=Language.CHINESE.value)
    if not notes.password:
        notes.password = secrets.token_urlsafe(12)
        notes.save()
    hashed = access.hashed(notes.password)
    with contextlib.suppress(Conflict), place.database.begin() as tx:
        access.make_first_owner(tx, replace(given, password_hash=hashed), datetime.now(UTC))


def _answers(address: str) -> bool:
    """Whether the server at this address of ours can serve."""
    host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=0.5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class _QuietHandler(SimpleHTTPRequestHandler):
    """Serves the finished files and says nothing about it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Keep the terminal for what the person needs to read."""


@contextmanager
def _site_server(folder: Path, port: int) -> Iterator[str]:
    """The files of ``folder`` on 127.0.0.1 meanwhile; gives the address. BadInput ``app.cannot_listen``."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(_QuietHandler, directory=str(folder)))
    except OSError as reason:
        raise BadInput("app.cannot_listen", host="127.0.0.1", port=port, reason=reason.strerror) from None
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
