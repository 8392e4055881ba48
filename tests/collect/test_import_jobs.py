"""Imports over HTTP: a file is sent, looked at, tried and brought in; what is left out is shown to who sent it."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from shuke.base.language import Language
from shuke.collect import jobs
from shuke.collect.rules.file_kinds import FILE_KINDS, guesses, likely_kind
from shuke.collect.service.imports import asked, orders
from shuke.platform import JobState, Workplace, get_job, work

ORDERS = """订单号,会员手机号,下单时间,实付金额,门店
1001,13812345678,2026-05-01 10:00:00,100.00,西湖
1002,13987654321,2026-05-02 11:00:00,50.50,西湖
1003,13812345678,2026-05-03 12:00:00,abc,西湖
1004,13812345678,2026年32月,10.00,西湖
"""
TASKS = {"collect:preview_file": jobs.preview_file, "collect:import_files": jobs.import_files}
FETCH = sa.text("SELECT id, task_name, args FROM procrastinate_fetch_job_v2(NULL, NULL)")
FINISH = sa.text("SELECT procrastinate_finish_job_v1(:id, 'succeeded', false)")
Ask = Callable[..., httpx.Response]


class Desk:
    """Somebody who sends files, and a worker who does what waits."""

    def __init__(self, place: Workplace, ask: Ask) -> None:
        self.place = place
        self.ask = ask

    def send(self, content: bytes, name: str = "订单 5月.csv", **headers: str) -> dict[str, Any]:
        given = {"x-file-name": quote(name), **headers}
        answer = self.ask("POST", "/api/imports/files", content=content, headers=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def work(self) -> None:
        """Run what waits, as the worker does."""
        context = SimpleNamespace(additional_context={"workplace": self.place})
        while True:
            with self.place.database.begin() as tx:
                row = tx.execute(
                    sa.text("SELECT id, task_name, args FROM procrastinate_fetch_job_v2(NULL, NULL)")
                ).one()
            if row.id is None:
                return
            if row.task_name in TASKS:
                TASKS[row.task_name].func(context, **row.args)
            with self.place.database.begin() as tx:
                tx.execute(FINISH, {"id": row.id})

    def look(self, content: bytes, name: str = "订单 5月.csv") -> dict[str, Any]:
        sent = self.send(content, name)
        self.work()
        job = self.ask("GET", f"/api/jobs/{sent['job_id']}").json()
        assert job["state"] == "done", job
        return self.ask("GET", f"/api/imports/previews/{job['result']['preview_id']}").json()

    def bring_in(self, *files: str, **told: Any) -> dict[str, Any]:
        body = {"kind": "orders", "files": list(files), "currency": "CNY", "timezone": "Asia/Shanghai", **told}
        answer = self.ask("POST", "/api/imports", json=body, headers={"accept-language": "zh-CN"})
        assert answer.status_code == 202, answer.text
        self.work()
        return self.told(answer.json()["job_id"])

    def told(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/api/imports/{job_id}", headers={"accept-language": "zh-CN"}).json()
        return found

    def count(self, table: str) -> int:
        with self.place.database.read() as tx:
            return tx.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608 - names of our own


@pytest.fixture
def desk(workplace: Workplace, ask: Ask) -> Desk:
    return Desk(workplace, ask)


def test_a_file_is_looked_at_before_anything_is_done(desk: Desk) -> None:
    seen = desk.look(ORDERS.encode("gb18030"))
    assert (seen["name"], seen["format"], seen["encoding"], seen["delimiter"]) == (
        "订单 5月.csv",
        "csv",
        "gb18030",
        ",",
    )
    assert seen["columns"][1] == {"name": "会员手机号", "samples": ["13812345678", "13987654321"]}
    assert seen["rows"][0] == ["1001", "13812345678", "2026-05-01 10:00:00", "100.00", "西湖"]
    assert seen["kind"] == "orders"
    (guess,) = [one for one in seen["guesses"] if one["kind"] == "orders"]
    assert guess["missing"] == []
    assert guess["mapping"] == {
        "customer": "会员手机号",
        "order": "订单号",
        "time": "下单时间",
        "amount": "实付金额",
        "store": "门店",
    }
    assert "unit_cost" in seen["fields"]["orders"]
    assert desk.count("orders") == 0


def test_orders_are_tried_and_then_brought_in(desk: Desk) -> None:
    sent = desk.send(ORDERS.encode("gb18030"))
    tried = desk.bring_in(sent["file_id"], dry_run=True)
    assert (tried["state"], tried["asked"]["dry_run"]) == ("done", True)
    assert desk.count("orders") == 0
    done = desk.bring_in(sent["file_id"])
    assert done["result"]["counts"]["orders.created"] == tried["result"]["counts"]["orders.created"] == 2
    assert done["result"]["counts"]["orders.amount_minor"] == 15_050
    assert desk.count("orders") == 2
    assert {(one["code"], one["rows"]) for one in done["left_out"]} == {
        ("unreadable_amount", 1),
        ("unreadable_time", 1),
    }
    assert {one["reason"] for one in done["left_out"]} == {"没有金额，或金额不是数字", "没有日期，或日期无法读取"}
    assert [(row["row"], row["code"], row["cells"][0]) for row in done["rows"]] == [
        (3, "unreadable_amount", "1003"),
        (4, "unreadable_time", "1004"),
    ]
    saved = desk.ask("GET", f"/api/imports/{done['job_id']}/rejects")
    assert saved.headers["content-disposition"].startswith("attachment; filename=")
    assert "1003,13812345678" in saved.content.decode("utf-8-sig")
    listed = desk.ask("GET", "/api/imports?limit=1").json()
    assert [one["job_id"] for one in listed["items"]] == [done["job_id"]]
    assert listed["next"] == done["job_id"]
    (line, *_) = desk.ask("GET", "/api/audit").json()["items"]
    assert (line["action"], line["object"]["kind"]) == ("POST /api/imports", "orders")


def test_what_names_people_is_in_no_plain_row(desk: Desk) -> None:
    sent = desk.send(ORDERS.encode())
    desk.bring_in(sent["file_id"])
    with desk.place.database.read() as tx:
        told = [json.dumps(row, default=str) for row in tx.scalars(sa.text("SELECT to_jsonb(j) FROM jobs j"))]
        kept = [bytes(cipher) for cipher in tx.scalars(sa.text("SELECT cipher FROM file_pieces"))]
    assert len(told) == 2
    assert len(kept) == 4
    assert not any("13812345678" in row for row in told)
    assert not any(b"13812345678" in cipher for cipher in kept)
    # Nor is anything left on the disk.
    assert not list(desk.place.settings.work_folder.glob(f"{work._prefix(desk.place)}*"))


def test_what_somebody_sent_is_nobody_elses(desk: Desk, key_for: Callable[..., str]) -> None:
    sent = desk.send(ORDERS.encode())
    desk.work()
    done = desk.bring_in(sent["file_id"])
    preview = desk.ask("GET", f"/api/jobs/{sent['job_id']}").json()["result"]["preview_id"]
    other = {"authorization": f"Bearer {key_for(desk.place, 'operations_manager')}"}
    body = {"kind": "orders", "files": [sent["file_id"]], "currency": "CNY"}
    assert desk.ask("POST", "/api/imports", json=body, headers=other).status_code == 404
    assert desk.ask("GET", f"/api/imports/previews/{preview}", headers=other).status_code == 404
    assert desk.ask("GET", f"/api/imports/{done['job_id']}/rejects", headers=other).status_code == 404
    assert desk.ask("GET", f"/api/jobs/{sent['job_id']}", headers=other).status_code == 404
    # That there was an import, and what came of it, is the brand's.
    told = desk.ask("GET", f"/api/imports/{done['job_id']}", headers=other).json()
    assert (told["mine"], told["rows"], len(told["left_out"])) == (False, [], 2)
    store = {"authorization": f"Bearer {key_for(desk.place, 'store_associate', places=['s1'])}"}
    for method, path in (("POST", "/api/imports/files"), ("POST", "/api/imports"), ("GET", "/api/imports")):
        refused = desk.ask(method, path, headers=store)
        assert (refused.status_code, refused.json()["code"]) == (403, "access.not_allowed")
    assert desk.count("files") == 4


def test_a_worker_that_is_killed_in_the_middle_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{number},{10_000_000 + number},2026-05-01 10:00:00,10\n" for number in range(30))
    sent = desk.send(f"order,customer,time,amount\n{rows}".encode())
    desk.work()
    monkeypatch.setattr(
        orders.import_orders, "__kwdefaults__", orders.import_orders.__kwdefaults__ | {"batch_orders": 10}
    )
    merge, calls = orders.merge_orders, []

    class Killed(BaseException):
        """What nothing catches."""

    def dies(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        return merge(*given)

    monkeypatch.setattr(orders, "merge_orders", dies)
    with pytest.raises(Killed):
        desk.bring_in(sent["file_id"])
    assert desk.count("orders") == 10
    with desk.place.database.begin() as tx:
        tx.execute(sa.text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL WHERE status = 'doing'"))
        tx.execute(sa.text("UPDATE jobs SET touched_at = touched_at - interval '1 hour'"))
    work.look_after_jobs(desk.place, datetime.now(UTC))
    desk.work()
    done = desk.told(desk.ask("GET", "/api/imports").json()["items"][0]["job_id"])
    assert (done["state"], done["result"]["resumed"] > 0, desk.count("orders")) == ("done", True, 30)
    assert done["result"]["counts"]["orders.created"] == 30


def test_what_cannot_be_imported_is_said(desk: Desk) -> None:
    sent = desk.send(b"a,b\n1,2\n", "x.csv")
    failed = desk.bring_in(sent["file_id"])
    assert (failed["state"], failed["problem"]["code"]) == ("failed", "collect.missing_customer")
    nothing = desk.ask("POST", "/api/imports/files", content=b"", headers={"x-file-name": "empty.csv"})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "collect.empty_file")


def test_a_file_that_does_not_arrive_whole_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shuke.platform.files.FILE_BYTES_MAX", 2_000_000)
    answer = desk.ask("POST", "/api/imports/files", content=bytes(3_000_000), headers={"x-file-name": "x.csv"})
    assert (answer.status_code, answer.json()["code"]) == (422, "platform.file_too_large")
    for name in ("订单.csv".encode(), b"a b.csv"):
        answer = desk.ask("POST", "/api/imports/files", content=b"x", headers={b"x-file-name": name})
        assert (answer.status_code, answer.json()["code"]) == (422, "collect.bad_file_name_header")
    assert desk.ask("POST", "/api/imports/files", content=b"x", headers={"x-file-name": quote("订")}).status_code == 200
    assert desk.count("files") == 1
    unknown = {"kind": "orders", "files": [str(uuid4())]}
    assert desk.ask("POST", "/api/imports", json=unknown).status_code == 404


SENT: dict[str, tuple[str, bytes, dict[str, int]]] = {
    "customers": (
        "customers",
        "手机号,姓名,城市\n13812345678,王小明,杭州\n,李雷,上海\n".encode(),
        {"customers.rows": 1},
    ),
    "products": ("products", b"sku,product name,price\np1,Tea,10.50\n", {"products.created": 1}),
    "costs": ("costs", b"channel,month,spend\nweb,2026-05,100\n", {"costs.created": 1}),
    "events": (
        "events",
        json.dumps({"type": "track", "event": "Viewed", "userId": "u1"}).encode() + b"\nnothing\n",
        {"events.rows": 1},
    ),
}


@pytest.mark.parametrize("case", SENT)
def test_every_kind_of_file_is_recognised_and_brought_in(case: str, desk: Desk) -> None:
    kind, content, counts = SENT[case]
    assert desk.look(content, "x.csv")["kind"] == kind
    sent = desk.send(content, "x.csv")
    done = desk.bring_in(sent["file_id"], kind=kind)
    assert done["state"] == "done", done
    assert counts.items() <= done["result"]["counts"].items()
    if case in ("customers", "events"):
        (row,) = done["rows"]
        assert row["row"] == 2
        assert row["code"] in {"no_identity", "no_event"}


def test_rejects_of_several_files_come_as_one(desk: Desk) -> None:
    parquet = io.BytesIO()
    pq.write_table(pa.table({"order": ["9"], "customer": ["m9"], "time": ["never"], "amount": ["1"]}), parquet)
    ids = [
        desk.send(content, name)["file_id"]
        for content, name in (
            (ORDERS.encode(), "a.csv"),
            (ORDERS.replace("100", "200").encode(), "a.csv"),
            (parquet.getvalue(), "b.parquet"),
        )
    ]
    done = desk.bring_in(*ids[:2])
    saved = desk.ask("GET", f"/api/imports/{done['job_id']}/rejects")
    with zipfile.ZipFile(io.BytesIO(saved.content)) as opened:
        assert opened.namelist() == ["a.rejects.csv", "a.2.rejects.csv"]
    assert desk.bring_in(ids[2])["state"] == "failed"


def test_a_job_is_told_of_while_it_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_TELL_SECONDS", 0)
    told: list[tuple[str | None, float]] = []
    progress = work.Running.progress

    def heard(running: Any, doing: str, share: float) -> None:
        progress(running, doing, share)
        with desk.place.database.read() as tx:
            job = get_job(tx, running.job.job_id)
        assert job.state is JobState.RUNNING
        told.append((job.doing, job.progress))

    monkeypatch.setattr(work.Running, "progress", heard)
    sent = desk.send(ORDERS.encode())["file_id"]
    desk.work()
    told.clear()
    desk.bring_in(sent)
    assert ("collect.import", 1.0) in told
    assert {"collect.open", "collect.stage", "collect.import"} <= {doing for doing, _ in told}
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_the_kind_is_guessed_by_what_the_columns_say() -> None:
    def kind(*columns: str) -> str:
        return likely_kind(guesses(columns, defined=()))

    assert kind("订单号", "买家手机号", "下单时间", "实付金额") == "orders"
    assert kind("customer id", "order date", "quantity", "unit price") == "orders"
    assert kind("手机号", "姓名", "性别", "生日") == "customers"
    assert kind("sku", "商品名称", "品牌", "成本价") == "products"
    assert kind("channel", "month", "spend") == "costs"
    assert kind("event", "timestamp", "user_id", "product_id") == "events"
    assert kind("a", "b") == "orders"
    assert [guess.kind for guess in guesses(("a",), defined=())] == list(FILE_KINDS)


@pytest.mark.parametrize("language", Language)
def test_every_reason_has_a_text(language: Language) -> None:
    for code in ("duplicate_line", "no_identity", "several_customers"):
        assert asked.reason_of(code, language) != code
