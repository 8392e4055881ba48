"""Exports: the right customers, as whoever asked sees them by then, harmless, marked, logged, for nobody else."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import python_calamine as calamine
import sqlalchemy as sa

from shuke import catalog, collect, lifecycle, profiles
from shuke.access.people_model import NewUser
from shuke.access.service import scope, users
from shuke.app.wiring import EXPORT_LIST
from shuke.lifecycle.service import exporting
from shuke.platform import JobState, Workplace, get_job, queue_job, work

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
NOW = datetime.now(UTC)
PATH = "/api/customers/exports"
COLUMNS = ["contact", "phone", "orders", "spent", "last_order", "tags"]
Ask = Callable[..., httpx.Response]


@pytest.fixture
def people(workplace: Workplace) -> dict[str, UUID]:
    """Three customers of two stores; the second is called as a formula is."""
    found = {}
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        for number, (name, store) in enumerate((("王小明", "s1"), ("=cmd|' /C calc'!A0", "s1"), ("李雷", "s2"))):
            phone = f"1381234567{number}"
            order = collect.Order(
                source_id=source,
                order_id=f"o{number}",
                ordered_at=AS_OF - timedelta(days=5 + number),
                amount_minor=12_345 + number,
                currency="CNY",
                store=store,
                ids=(("phone", phone),),
            )
            collect.save_orders(tx, workplace.keyring, [order], NOW)
            customer = profiles.find(tx, workplace.keyring, "phone", phone)
            assert customer is not None
            found[name] = customer
            profiles.set_attributes(tx, workplace.keyring, [(customer, {"name": name})], NOW)
        profiles.add_tags(tx, [profiles.NewTag(found["王小明"], "VIP", "wecom")], NOW)
        catalog.save_brand(tx, catalog.Brand(name="龙井茶庄", time_zone="Asia/Shanghai"), now=NOW)
    lifecycle.refresh(workplace, as_of=AS_OF, now=AS_OF)
    return found


def work_off(place: Workplace) -> None:
    """Do what waits, as the worker does."""
    context = SimpleNamespace(additional_context={"workplace": place})
    fetch = sa.text("SELECT id, task_name, args FROM procrastinate_fetch_job_v2(NULL, NULL)")
    while True:
        with place.database.begin() as tx:
            row = tx.execute(fetch).one()
        if row.id is None:
            return
        if row.task_name == "lifecycle:export_list":
            EXPORT_LIST.func(context, **row.args)
        with place.database.begin() as tx:
            tx.execute(sa.text("SELECT procrastinate_finish_job_v1(:id, 'succeeded', false)"), {"id": row.id})


def asked(ask: Ask, place: Workplace, headers: Any = None, **body: Any) -> dict[str, Any]:
    """The job of an export, done."""
    given = {"columns": COLUMNS, "format": "csv", **({} if "customer_ids" in body else {"query": {}}), **body}
    answer = ask("POST", PATH, json=given, headers=headers or {})
    assert answer.status_code == 202, answer.text
    work_off(place)
    found: dict[str, Any] = ask("GET", f"/api/jobs/{answer.json()['job_id']}", headers=headers or {}).json()
    return found


def file_of(ask: Ask, job: dict[str, Any], headers: Any = None) -> bytes:
    assert job["state"] == "done", job
    answer = ask("GET", f"{PATH}/{job['job_id']}/file", headers=headers or {})
    assert answer.status_code == 200, answer.text
    return answer.content


def rows_of(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def names_of(content: bytes) -> set[str]:
    rows = rows_of(content)
    return {row[1] for row in rows[1 : rows.index([])]}


def key(place: Workplace, key_for: Callable[..., str], role: str, **more: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {key_for(place, role, **more)}"}


def test_a_table_says_what_was_asked_for_and_where_it_is_from(
    ask: Ask, workplace: Workplace, people: dict[str, UUID]
) -> None:
    job = asked(ask, workplace, query={"tags": ["VIP"], "last_order_from": "2026-06-01T00:00:00Z"})
    rows = rows_of(file_of(ask, job))
    assert rows[0] == [
        *("Customer", "Name", "Contact", "Phone", "Orders", "Spent (CNY)", "Last order", "Tags"),
    ]
    # As the owner's role shows them: masked. Days are the brand's.
    assert rows[1] == [str(people["王小明"]), "王**", "138****5670", "138****5670", "1", "123.45", "2026-06-26", "VIP"]
    assert rows[2] == []
    said = dict(rows[3:])
    assert said["What"] == "Customers of 龙井茶庄"
    assert (said["Number of the export"], said["Customers"]) == (job["job_id"], "1")
    assert said["Made by"] == "owner (owner)"
    assert said["Conditions"] == "tags = VIP; last_order_from = 2026-06-01T00:00:00Z"
    assert "Asia/Shanghai" in said["Made at"]
    assert job["result"]["customers"] == 1
    history = ask("GET", PATH).json()["items"]
    assert [one["job_id"] for one in history] == [job["job_id"]]


@pytest.mark.usefixtures("people")
def test_a_workbook_holds_the_same_and_nothing_that_computes(
    ask: Ask,
    workplace: Workplace,
) -> None:
    chinese = {"accept-language": "zh-CN"}
    job = asked(ask, workplace, chinese, format="xlsx")
    content = file_of(ask, job, chinese)
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["说明", "客户"]
    about = dict(book.get_sheet_by_name("说明").to_python())
    assert (about["导出编号"], about["客户数"]) == (job["job_id"], "3")
    rows = book.get_sheet_by_name("客户").to_python()
    assert len(rows) == 4
    assert rows[1][5:7] == [123.47, date(2026, 6, 24)]
    assert {row[1][0] for row in rows[1:]} == {"王", "'", "李"}
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert b"<f>" not in b"".join(parts.read(name) for name in parts.namelist())
        assert job["job_id"].encode() in parts.read("docProps/custom.xml")
        core = parts.read("docProps/core.xml").decode()
        assert job["job_id"] in core
        assert "owner" in core


@pytest.mark.usefixtures("people")
def test_a_formula_in_a_name_is_none_any_more(
    ask: Ask, workplace: Workplace, key_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear = key(workplace, key_for, "data_protection_officer")
    assert "'=cmd|' /C calc'!A0" in names_of(file_of(ask, asked(ask, workplace, clear), clear))
    # A file that leaves texts as they are is seen.
    monkeypatch.setattr("shuke.lifecycle.exports.neutral", lambda text: text)
    assert "=cmd|' /C calc'!A0" in names_of(file_of(ask, asked(ask, workplace, clear), clear))


def test_a_search_is_done_by_the_worker_and_kept_nowhere_in_the_clear(
    ask: Ask, workplace: Workplace, people: dict[str, UUID], key_for: Any
) -> None:
    clear = key(workplace, key_for, "data_protection_officer")
    job = asked(ask, workplace, clear, query={"search": "王小"})
    assert names_of(file_of(ask, job, clear)) == {"王小明"}
    assert job["asked"]["query"] == {"search": "***"}
    with workplace.database.read() as tx:
        everything = "".join(
            str(row)
            for table in ("jobs", "procrastinate_jobs", "audit_log")
            for row in tx.execute(sa.text(f"SELECT t::text FROM {table} t"))  # noqa: S608 - names of our own
        )
        assert tx.scalar(sa.text("SELECT count(*) FROM files WHERE kind = 'lifecycle.export_request'")) == 0
    assert "王小" not in everything
    by_hand = asked(ask, workplace, clear, customer_ids=[str(people["李雷"]), str(uuid4())])
    assert names_of(file_of(ask, by_hand, clear)) == {"李雷"}


@pytest.fixture
def regional(ask: Ask) -> str:
    """A role for some stores, which may export."""
    fields = {"name": "clear", "phone": "masked", "email": "masked", "other": "hidden"}
    body = {"name": "regional", "permissions": ["customers.export", "customers.read"], "where": "store"}
    answer = ask("POST", "/api/roles", json={**body, "fields": fields})
    assert answer.status_code == 200, answer.text
    return "regional"


def test_the_worker_sees_what_the_reader_sees_by_then(
    ask: Ask,
    workplace: Workplace,
    people: dict[str, UUID],
    regional: str,
    key_for: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = key(workplace, key_for, regional, places=["s2"])
    assert names_of(file_of(ask, asked(ask, workplace, mine), mine)) == {"李雷"}
    every = [str(one) for one in people.values()]
    assert names_of(file_of(ask, asked(ask, workplace, mine, customer_ids=every), mine)) == {"李雷"}
    # What changes between the asking and the doing counts.
    job_id = ask("POST", PATH, json={"columns": [], "format": "csv", "query": {}}, headers=mine).json()["job_id"]
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE api_keys SET places = '{s1}' WHERE role = 'regional'"))
    work_off(workplace)
    job = ask("GET", f"/api/jobs/{job_id}", headers=mine).json()
    assert names_of(file_of(ask, job, mine)) == {"王小明", "'=cmd|' /C calc'!A0"}
    # A worker that enters no scope is seen.
    monkeypatch.setattr(scope, "enter", lambda *_: None)
    assert len(names_of(file_of(ask, asked(ask, workplace, mine), mine))) == 3


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_who_is_disabled_gets_nothing(when: str, workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    place = workplace
    with place.database.begin() as tx:
        new = NewUser(name="李", email="li@brand.example", role="owner", language="en")
        user = users.add_user(tx, new, NOW)
    asker = access_asker(user)
    asked_for = {"columns": [], "format": "csv", "sort": "value", "descending": True, "query": {}, "language": "en"}
    with exporting.keep_request(place, asker, {"query": {}}) as out, place.database.begin() as tx:
        request = out.finish(tx)
        told = {**asked_for, "request_id": str(request.file_id)}
        job_id = queue_job(tx, EXPORT_LIST, kind=exporting.EXPORT, asker=asker, asked=told)

    def disable() -> None:
        with place.database.begin() as tx:
            tx.execute(sa.text("UPDATE users SET disabled_at = now() WHERE user_id = :u"), {"u": user})

    if when == "before":
        disable()
    else:
        walk = exporting.walk_customers

        def walked(*args: Any, **options: Any) -> Any:
            disable()
            return walk(*args, **options)

        monkeypatch.setattr(exporting, "walk_customers", walked)
    work_off(place)
    with place.database.read() as tx:
        job = get_job(tx, job_id)
        assert tx.scalar(sa.text("SELECT count(*) FROM files WHERE kind = :kind"), {"kind": exporting.EXPORT}) == 0
    assert job.state is JobState.FAILED
    assert job.problem is not None
    assert job.problem.code == "access.not_any_more"


def access_asker(user: UUID) -> work.Asker:
    return work.Asker("user", user, "李")


@pytest.mark.usefixtures("people")
def test_a_file_is_its_asker_s_alone_and_the_log_has_no_one_in_it(ask: Ask, workplace: Workplace, key_for: Any) -> None:
    job = asked(ask, workplace, query={"tags": ["VIP"]})
    other = key(workplace, key_for, "operations_manager")
    assert ask("GET", f"{PATH}/{job['job_id']}/file", headers=other).status_code == 404
    assert ask("GET", PATH, headers=other).json()["items"] == []
    assert ask("POST", PATH, json={"columns": []}, headers=key(workplace, key_for, "analyst")).status_code == 403
    file_of(ask, job)
    lines = {line["action"]: line for line in ask("GET", "/api/audit").json()["items"]}
    assert lines["customers.export"]["object"]["query"] == {"tags": ["VIP"]}
    assert lines["customers.exported"]["after"]["customers"] == 1
    assert lines["customers.exported"]["object"]["export_id"] == job["job_id"]
    assert lines["customers.export_read"]["object"]["export_id"] == job["job_id"]
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE files SET expires_at = now() - interval '1 day'"))
    gone = ask("GET", f"{PATH}/{job['job_id']}/file")
    assert (gone.status_code, gone.json()["code"]) == (404, "lifecycle.no_export_file")


@pytest.mark.usefixtures("people")
def test_too_many_are_refused_before_anything_is_written(
    ask: Ask, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "ROWS_MAX", 2)
    job = asked(ask, workplace)
    assert (job["state"], job["problem"]["code"]) == ("failed", "lifecycle.export_too_large")
    assert "2" in job["problem"]["detail"]
    assert asked(ask, workplace, query={"orders_min": 2})["state"] == "done"
    refused = ask("POST", PATH, json={"columns": []})
    assert refused.json()["code"] == "lifecycle.which_customers"


def test_existing_databases_get_the_permission(workplace: Workplace) -> None:
    with workplace.database.read() as tx:
        rows = tx.execute(sa.text("SELECT name FROM roles WHERE shipped AND 'customers.export' = ANY(permissions)"))
        assert {row.name for row in rows} == {"owner", "operations_manager", "data_protection_officer"}
