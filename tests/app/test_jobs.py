"""Jobs over HTTP: whose they are, and how somebody listens to one."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp

from shuke.app import jobs
from shuke.app.web import build_web
from shuke.platform import Asker, Blueprint, Workplace, queue_job

# More than there are threads for requests, and connections to the database.
LISTENERS = 45
tasks = Blueprint()


@tasks.task(name="test:watched")
def watched() -> None:
    """A task that is only ever queued here."""


class House:
    """A server, two readers, and a job of the first."""

    def __init__(self, place: Workplace, address: str, key_for: Callable[..., str]) -> None:
        self.place = place
        self.address = address
        self.keys = {role: key_for(place, role) for role in ("analyst", "operations_manager", "owner")}
        with place.database.read() as tx:
            found = tx.execute(sa.text("SELECT role, key_id FROM api_keys")).all()
        self.ids = {row.role: row.key_id for row in found}

    def queue(self, role: str = "analyst") -> UUID:
        with self.place.database.begin() as tx:
            return queue_job(
                tx, watched, kind="test.watched", asker=Asker("key", self.ids[role], role), asked={"name": "x"}
            )

    def ask(self, role: str, method: str, path: str, **headers: str) -> httpx.Response:
        given = {"authorization": f"Bearer {self.keys[role]}", **headers}
        return httpx.request(method, f"{self.address}{path}", headers=given, timeout=20)

    def tell(self, job_id: UUID, **values: Any) -> None:
        said = ", ".join(f"{name} = :{name}" for name in values)
        with self.place.database.begin() as tx:
            tx.execute(sa.text(f"UPDATE jobs SET {said} WHERE job_id = :id"), {"id": job_id, **values})  # noqa: S608 - ours

    def end(self, job_id: UUID) -> None:
        with self.place.database.begin() as tx:
            tx.execute(
                sa.text("UPDATE jobs SET state = 'done', progress = 1, finished_at = now() WHERE job_id = :id"),
                {"id": job_id},
            )


@pytest.fixture
def house(
    workplace: Workplace, key_for: Callable[..., str], serve: Callable[[ASGIApp], AbstractContextManager[str]]
) -> Any:
    with serve(build_web(workplace)) as address:
        yield House(workplace, address, key_for)


def test_jobs_are_shown_to_who_asked_and_to_who_may_see_all(house: House) -> None:
    mine, other = house.queue(), house.queue("owner")
    house.tell(mine, state="running", progress=0.25, doing="collect.import")
    shown = house.ask("analyst", "GET", f"/api/jobs/{mine}", **{"accept-language": "zh-CN"}).json()
    assert (shown["progress"], shown["mine"], shown["asked"]) == (0.25, True, {"name": "x"})
    assert shown["doing"] == "写入数据库"
    listed = house.ask("analyst", "GET", "/api/jobs").json()
    assert [one["job_id"] for one in listed["items"]] == [str(mine)]
    for path, code in (
        (f"/api/jobs/{other}", 404),
        (f"/api/jobs/{other}/events", 404),
        ("/api/jobs?everybodys=true", 403),
    ):
        assert house.ask("analyst", "GET", path).status_code == code
    assert house.ask("analyst", "DELETE", f"/api/jobs/{other}").status_code == 404
    # An owner may read the audit log, and so what others do; to end that needs settings.write.
    both = house.ask("owner", "GET", "/api/jobs?everybodys=true&limit=1").json()
    assert [one["job_id"] for one in both["items"]] == [str(other)]
    rest = house.ask("owner", "GET", f"/api/jobs?everybodys=true&limit=1&before={both['next']}").json()
    assert [one["job_id"] for one in rest["items"]] == [str(mine)]
    assert house.ask("owner", "GET", f"/api/jobs/{mine}").json()["mine"] is False
    assert house.ask("owner", "DELETE", f"/api/jobs/{mine}").json()["cancelling"]
    assert house.ask("analyst", "DELETE", f"/api/jobs/{mine}").json()["cancelling"]
    assert house.ask("owner", "DELETE", f"/api/jobs/{other}").json()["state"] == "cancelled"
    log = house.ask("owner", "GET", "/api/audit").json()["items"]
    assert [line["action"] for line in log] == ["DELETE /api/jobs/{job_id}"] * 3


def told(house: House, job_id: UUID, meanwhile: list[Callable[[], None]]) -> list[dict[str, Any]]:
    """What a listener hears; after each event one more thing happens."""
    heard = []
    headers = {"authorization": f"Bearer {house.keys['analyst']}"}
    with httpx.stream("GET", f"{house.address}/api/jobs/{job_id}/events", headers=headers, timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        for line in answer.iter_lines():
            if line.startswith("data: "):
                heard.append(json.loads(line.removeprefix("data: ")))
                if meanwhile:
                    meanwhile.pop(0)()
    return heard


def test_a_listener_hears_each_change_and_the_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LOOK_SECONDS", 0.02)
    job_id = house.queue()
    meanwhile = [
        lambda: house.tell(job_id, state="running", progress=0.5, doing="collect.import"),
        lambda: house.end(job_id),
    ]
    heard = told(house, job_id, meanwhile)
    assert [(one["state"], one["progress"]) for one in heard] == [("queued", 0.0), ("running", 0.5), ("done", 1.0)]
    # Of what has ended already the end is told at once.
    assert [one["state"] for one in told(house, job_id, [])] == ["done"]


def test_who_waits_holds_neither_connection_nor_thread(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(jobs, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(jobs, "LISTENERS_OF_ONE_MAX", LISTENERS)
    job_id = house.queue()
    headers = {"authorization": f"Bearer {house.keys['analyst']}"}
    path = f"{house.address}/api/jobs/{job_id}/events"

    async def listen(client: httpx.AsyncClient, began: list[int], beats: list[int]) -> str:
        said = ""
        async with client.stream("GET", path, headers=headers) as answer:
            began.append(answer.status_code)
            async for text in answer.aiter_text():
                said += text
                if ": still here" in text:
                    beats.append(1)
        return said

    async def all_of_them() -> list[str]:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(timeout=20, limits=limits) as client:
            began: list[int] = []
            beats: list[int] = []
            listening = [asyncio.create_task(listen(client, began, beats)) for _ in range(LISTENERS)]
            while len(beats) < LISTENERS:
                await asyncio.sleep(0.02)
            assert began == [200] * LISTENERS
            assert house.place.database.connections_in_use <= 1
            # Others are answered meanwhile.
            assert (await client.get(path.removesuffix("/events"), headers=headers)).status_code == 200
            refused = await client.get(path, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (429, "app.too_many_listeners")
            await asyncio.to_thread(house.end, job_id)
            return await asyncio.gather(*listening)

    for said in asyncio.run(all_of_them()):
        assert '"state":"done"' in said


def test_a_listener_is_let_go_when_the_server_stops_or_the_time_is_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_LOOK_SECONDS", 0.02)
    job_id = house.queue()
    heard = told(house, job_id, [house.place.stopping.set])
    assert [one["state"] for one in heard] == ["queued"]
    house.place.stopping.clear()
    monkeypatch.setattr(jobs, "LISTEN_SECONDS_MAX", 0.1)
    assert [one["state"] for one in told(house, job_id, [])] == ["queued"]


def test_a_listener_who_left_is_not_counted_any_more(workplace: Workplace) -> None:
    watch = jobs.Watch(workplace)
    asker = Asker("user", None, "Lin")
    with workplace.database.begin() as tx:
        job_id = queue_job(tx, watched, kind="test.watched", asker=asker, asked={})
        job = jobs.get_job(tx, job_id)

    async def listen() -> None:
        for _ in range(2 * jobs.LISTENERS_OF_ONE_MAX):
            watch.check(asker)
            gone = asyncio.Event()

            async def receive(gone: asyncio.Event = gone) -> dict[str, str]:
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any, gone: asyncio.Event = gone) -> None:
                if message.get("body"):
                    gone.set()

            await jobs._Events(watch, job, asker, lambda _: "{}")({}, receive, send)  # type: ignore[arg-type]

    asyncio.run(listen())
