"""Reports that a worker makes: kept, read in place without any reach, saved, and made again by a schedule."""

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from shuke import catalog, collect
from shuke.base.language import Language
from shuke.platform import Asker, Database, Keyring, Settings, Workplace, new_file
from shuke.reports import jobs
from shuke.reports.rules.schedule import next_due
from shuke.reports.service import making, shelf
from shuke.reports.service.making import ReportTerms
from shuke.reports.service.shelf import Schedule

NOW = datetime.now(UTC)
AT = datetime(2024, 1, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOSTILE = "<script>document.title = 'taken'</script>"
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def place(
    new_database: Callable[[], str], keyring: Keyring, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workplace]:
    """A brand with some orders, of goods with an unkind name."""
    folder = tmp_path_factory.mktemp("reports")
    with Database(new_database()) as database:
        settings = Settings(data_folder=folder, work_folder=folder, database_url=database.url, time_zone=SHANGHAI.key)
        made = Workplace(settings, database, keyring)
        with database.begin() as tx:
            source = collect.ensure_source(tx, "shop", now=NOW)
            orders = [
                collect.Order(
                    source_id=source,
                    order_id=f"o{number}",
                    ordered_at=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=number),
                    amount_minor=4_900 + 100 * number,
                    currency="CNY",
                    ids=(("phone", f"138{number % 25:08d}"),),
                    lines=(collect.OrderLine(f"P{number % 3}", HOSTILE, "tea", None, Decimal(1), 4_900, None),),
                )
                for number in range(100)
            ]
            collect.save_orders(tx, made.keyring, orders, NOW)
        yield made


@pytest.fixture(scope="module")
def asking(place: Workplace, web_of: Callable[..., Any]) -> Ask:
    """Asks the application itself as an owner."""
    app = web_of(place)

    def asked(method: str, path: str, **options: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(answer())

    return asked


@pytest.fixture(scope="module")
def report(place: Workplace, asking: Ask) -> dict[str, Any]:
    """The first report, in both languages."""
    empty = asking("GET", "/api/reports/latest/findings").json()
    assert empty == {"report": None, "findings": []}
    queued = asking("POST", "/api/reports", json={"languages": ["zh-CN", "en"], "brand": "西湖", "margin": 0.4})
    assert queued.status_code == 202
    job_id = queued.json()["job_id"]
    assert [one["state"] for one in asking("GET", "/api/reports").json()["making"]] == ["queued"]
    context: Any = SimpleNamespace(additional_context={"workplace": place})
    with pytest.MonkeyPatch.context() as patch:
        # The others take long, and are kept by the same lines.
        patch.setattr(making, "_FORMATS", ("html", "json"))
        jobs.make_report.func(context, job_id)
    page = asking("GET", "/api/reports").json()
    assert page["making"] == []
    (made,) = page["items"]
    assert made["report_id"] == job_id
    found: dict[str, Any] = made
    return found


def test_a_report_is_kept_with_its_files(report: dict[str, Any], asking: Ask) -> None:
    assert report["data_until"] == "2026-06-08"
    assert (report["customers"], report["currency"], report["margin"]) == (25, "CNY", 0.4)
    assert report["languages"] == ["zh-CN", "en"]
    base = f"/api/reports/{report['report_id']}"
    for kind, begins in (("json", b"{"), ("page", b"<!doctype html")):
        answer = asking("GET", f"{base}/{kind}")
        assert answer.status_code == 200
        assert answer.content[: len(begins)].lower() == begins.lower()
        assert len(answer.content) == next(
            one["size_bytes"] for one in report["files"] if one["kind"] == kind and one["language"] == "en"
        )
    assert asking("GET", f"{base}/pdf").json()["code"] == "platform.no_file"
    named = asking("GET", f"{base}/json?language=zh-CN").headers["content-disposition"]
    assert named.startswith('attachment; filename="2026-06-08.zh-CN.report.json"')
    assert json.loads(asking("GET", f"{base}/json").content)["figures"]["figures"]["base"]["customers"] == 25
    lists = asking("GET", f"{base}/lists.zip")
    if any(one["kind"] == "lists.zip" for one in report["files"]):
        with zipfile.ZipFile(io.BytesIO(lists.content)) as opened:
            assert all(name.endswith(".csv") for name in opened.namelist())
        assert asking("GET", "/api/audit").json()["items"][0]["action"] == "reports.lists"
    assert asking("GET", f"/api/reports/{uuid4()}/pdf").json()["code"] == "reports.no_report"


def test_the_page_has_a_policy_of_its_own_and_leads_nowhere(report: dict[str, Any], asking: Ask) -> None:
    answer = asking("GET", f"/api/reports/{report['report_id']}/page?language=en")
    policy = answer.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self'; sandbox allow-scripts")
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    assert "allow-same-origin" not in policy
    assert HOSTILE not in answer.text
    assert "lists/" not in answer.text


def test_the_findings_of_the_latest_are_told_in_the_readers_language(report: dict[str, Any], asking: Ask) -> None:
    told = {
        language: asking("GET", "/api/reports/latest/findings", headers={"accept-language": language}).json()
        for language in ("zh-CN", "en")
    }
    assert told["en"]["report"]["report_id"] == report["report_id"]
    assert len(told["en"]["findings"]) == report["findings"] > 0
    codes = {language: [one["code"] for one in found["findings"]] for language, found in told.items()}
    assert codes["en"] == codes["zh-CN"]
    assert told["en"]["findings"][0]["headline"] != told["zh-CN"]["findings"][0]["headline"]


def test_who_sees_some_customers_only_is_refused(
    report: dict[str, Any], asking: Ask, place: Workplace, key_for: Callable[..., str]
) -> None:
    store = {"authorization": f"Bearer {key_for(place, 'store_associate', places=['s1'])}"}
    base = f"/api/reports/{report['report_id']}"
    for path in ("/api/reports", base, f"{base}/page", "/api/reports/latest/findings", "/api/reports/schedule"):
        refused = asking("GET", path, headers=store)
        assert (refused.status_code, refused.json()["code"]) == (403, "access.not_allowed")
    assert asking("POST", "/api/reports", headers=store, json={}).status_code == 403


def test_what_cannot_be_reported_is_said(asking: Ask, place: Workplace) -> None:
    later = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    assert asking("POST", "/api/reports", json={"as_of": later}).json()["code"] == "reports.bad_as_of"
    wrong = {"every": "weekly", "day": 8}
    assert asking("PUT", "/api/reports/schedule", json=wrong).json()["code"] == "reports.bad_day"
    job_id = asking("POST", "/api/reports", json={"as_of": "2020-01-01"}).json()["job_id"]
    context: Any = SimpleNamespace(additional_context={"workplace": place})
    jobs.make_report.func(context, job_id)
    (failed, *_) = asking("GET", "/api/reports").json()["making"]
    assert (failed["state"], failed["problem"]["code"]) == ("failed", "collect.no_sales")


def test_only_so_many_are_kept_and_the_oldest_go(
    report: dict[str, Any], place: Workplace, asking: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counts() -> tuple[int, int]:
        with place.database.read() as tx:
            kept = tx.scalar(sa.text("SELECT count(*) FROM reports"))
            return kept or 0, tx.scalar(sa.text("SELECT count(*) FROM files WHERE kind = 'report'")) or 0

    before = counts()
    monkeypatch.setattr(making, "KEPT_MAX", 1)
    with place.database.begin() as tx:
        row = tx.execute(sa.select(making.reports)).mappings().one()
        # An older one, with a file.
        old = UUID(int=1)
        with new_file(
            place, kind="report", name="x.pdf", media_type="application/pdf", asker=Asker("user", None, "Lin"), days=1
        ) as out:
            file = out.finish(tx)
            files = {"en": {"pdf": {"file_id": str(file.file_id), "size_bytes": 0}}}
            tx.execute(sa.insert(making.reports).values(**{**row, "report_id": old, "files": files}))
    assert counts() == (before[0] + 1, before[1] + 1)
    with place.database.begin() as tx:
        making._forget(tx)
    assert counts() == before
    assert asking("GET", f"/api/reports/{old}").status_code == 404
    assert asking("GET", f"/api/reports/{report['report_id']}").status_code == 200


def schedule(**changed: Any) -> Schedule:
    terms = ReportTerms(languages=(Language.ENGLISH,), time_zone=SHANGHAI.key)
    told = {"every": "weekly", "day": 1, "hour": 6, "terms": terms, "who": "Lin", "changed_at": None, "due_at": None}
    return Schedule(**{**told, **changed})


def test_a_scheduled_report_is_made_once_whatever_was_missed(workplace: Workplace) -> None:
    monday = datetime(2026, 11, 22, 22, tzinfo=UTC)  # six in the morning of the 23rd in Shanghai

    def looks(now: datetime) -> int:
        """Two workers look at the same moment, and again a moment later."""
        with workplace.database.begin() as one, workplace.database.begin() as other:
            found = [shelf.queue_when_due(tx, jobs.make_report, now) for tx in (one, other)]
        with workplace.database.begin() as tx:
            found.append(shelf.queue_when_due(tx, jobs.make_report, now + timedelta(milliseconds=1)))
        return sum(job_id is not None for job_id in found)

    with workplace.database.begin() as tx:
        assert shelf.queue_when_due(tx, jobs.make_report, monday) is None
        made = shelf.set_schedule(tx, schedule(), now=monday - timedelta(days=2))
        assert made.due_at == monday
    assert looks(monday - timedelta(seconds=1)) == 0
    assert looks(monday) == 1
    # Nothing ran for a month.
    assert looks(monday + timedelta(days=30)) == 1
    with workplace.database.begin() as tx:
        found = shelf.get_schedule(tx)
        assert found is not None
        assert found.due_at == monday + timedelta(days=35)
        shelf.set_schedule(tx, schedule(every="off"), now=monday)
    assert looks(monday + timedelta(days=90)) == 0
    with workplace.database.read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM jobs WHERE who_kind = 'schedule'")) == 2


def test_a_schedule_without_its_lock_would_make_two(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monday = datetime(2026, 11, 22, 22, tzinfo=UTC)
    with workplace.database.begin() as tx:
        shelf.set_schedule(tx, schedule(), now=monday - timedelta(days=2))
        due = shelf.get_schedule(tx)
    monkeypatch.setattr(shelf, "get_schedule", lambda _tx, **_: due)
    made = []
    for _ in range(2):
        with workplace.database.begin() as tx:
            made.append(shelf.queue_when_due(tx, jobs.make_report, monday))
    assert None not in made


def test_a_day_is_the_brands_own(asking: Ask, place: Workplace) -> None:
    ours = catalog.Brand(name="西湖龙井", time_zone="Europe/Berlin", currency="EUR")
    with place.database.begin() as tx:
        catalog.save_brand(tx, ours, now=NOW)
    job_id = asking("POST", "/api/reports", json={}).json()["job_id"]
    asked = asking("GET", f"/api/jobs/{job_id}").json()["asked"]
    # Its name, currency and margin are those that it has when the report is made.
    assert asked["time_zone"] == "Europe/Berlin"
    assert asking("GET", "/api/reports/schedule").json()["terms"]["time_zone"] == "Europe/Berlin"
    with place.database.begin() as tx:
        catalog.save_brand(tx, catalog.Brand(), now=NOW)


def test_the_schedule_is_set_and_told_over_http(asking: Ask) -> None:
    assert asking("GET", "/api/reports/schedule").json()["every"] == "off"
    body = {"every": "monthly", "day": 31, "hour": 7, "terms": {"languages": ["en"], "horizon_days": 180}}
    told = asking("PUT", "/api/reports/schedule", json=body).json()
    due = datetime.fromisoformat(told["due_at"]).astimezone(SHANGHAI)
    assert due.hour == 7
    assert (due + timedelta(days=1)).day == 1
    assert told["terms"]["horizon_days"] == 180
    assert asking("GET", "/api/reports/schedule").json() == told
    (line, *_) = asking("GET", "/api/audit").json()["items"]
    assert (line["action"], line["before"], line["after"]["day"]) == ("PUT /api/reports/schedule", None, 31)


@given(
    every=st.sampled_from(["weekly", "monthly"]),
    day=st.integers(1, 7),
    hour=st.integers(0, 23),
    after=st.integers(0, 5 * 365 * 86_400).map(lambda seconds: AT + timedelta(seconds=seconds)),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"]),
)
def test_a_report_is_due_soon_on_its_day_at_its_hour(
    every: Any, day: int, hour: int, after: datetime, zone: str
) -> None:
    due = next_due(every, day=day, hour=hour, after=after, zone=ZoneInfo(zone))
    assert due is not None
    assert after < due <= after + timedelta(days=8 if every == "weekly" else 32)
    local = due.astimezone(ZoneInfo(zone))
    assert (local.isoweekday() if every == "weekly" else local.day) == day
    # But for the hour that a change of clocks skips.
    assert local.hour in (hour, hour + 1)
    # Nothing lies between.
    assert next_due(every, day=day, hour=hour, after=due - timedelta(seconds=1), zone=ZoneInfo(zone)) == due


def test_a_short_month_ends_with_its_report() -> None:
    after = datetime(2028, 2, 1, tzinfo=UTC)
    due = next_due("monthly", day=31, hour=6, after=after, zone=SHANGHAI)
    assert due is not None
    assert due.astimezone(SHANGHAI).date() == date(2028, 2, 29)
    assert next_due("off", day=1, hour=6, after=after, zone=SHANGHAI) is None


def test_terms_are_told_and_taken_back() -> None:
    terms = ReportTerms(languages=(Language.CHINESE, Language.ENGLISH), as_of=date(2026, 1, 1), margin=0.4)
    assert ReportTerms.of(json.loads(json.dumps(terms.told()))) == terms


def test_the_folder_of_a_report_is_not_left(place: Workplace) -> None:
    assert not list(Path(place.settings.work_folder).glob("shuke-job-*"))
