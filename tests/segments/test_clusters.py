"""Groups that were planted are found again, and each of them is an ordinary segment."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shuke import collect, lifecycle, profiles
from shuke.platform import Workplace
from shuke.segments import jobs

from .test_membership import bought, people  # noqa: F401 - a fixture

Ask = Callable[..., httpx.Response]

#: Of each group: what its customers buy, for how much, how many times, and how many days ago the last time.
GROUPS = (("茶", 2_000, 6, 3), ("壶", 90_000, 1, 40), ("杯", 9_000, 2, 300))
EACH = 80


def stock(workplace: Workplace, each: int) -> None:
    """So many customers of each group, and their figures."""
    now = datetime.now(UTC).replace(microsecond=0)
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=now)
        for number in range(each * len(GROUPS)):
            category, amount, times, last = GROUPS[number % len(GROUPS)]
            member = f"m{number}"
            profiles.resolve(tx, workplace.keyring, [[("member_number", member)]], now)
            days = range(last + number % 7, last + number % 7 + 9 * times, 9)
            orders = [bought(source, member, day, category, amount + number) for day in days]
            collect.save_orders(tx, workplace.keyring, orders, now)
    lifecycle.refresh(workplace, as_of=lifecycle.last_midnight(now, "UTC"), now=now)


def found(workplace: Workplace, ask: Ask, language: str, **body: Any) -> dict[str, Any]:
    """The job, done as the worker does."""
    headers = {"Accept-Language": language}
    answer = ask("POST", "/api/segments/clusters", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    with workplace.database.begin() as tx:
        tx.execute(sa.text("SELECT id FROM procrastinate_fetch_job_v2(NULL, NULL)")).all()
    context = SimpleNamespace(additional_context={"workplace": workplace})
    jobs.find_clusters.func(context, job_id=answer.json()["job_id"])
    return dict(ask("GET", f"/api/jobs/{answer.json()['job_id']}", headers=headers).json())


def test_planted_groups_are_found_again(workplace: Workplace, ask: Ask) -> None:
    stock(workplace, EACH)
    job = found(workplace, ask, "zh-CN")
    assert job["state"] == "done", job
    result = job["result"]
    assert (result["customers"], result["chosen"]) == (EACH * 3, 3)
    assert max(result["tried"], key=lambda one: one["score"])["clusters"] == 3
    assert [one["customers"] for one in result["clusters"]] == [EACH] * 3
    assert [one["agreement"] for one in result["clusters"]] == [1.0] * 3
    assert len({one["name"] for one in result["clusters"]}) == 3
    strongest = {
        trait["value"]
        for one in result["clusters"]
        for trait in one["traits"]
        if trait["effect"] == pytest.approx(3.14159, 0.01)
    }
    assert {"茶", "壶", "杯"} <= strongest
    for one in result["clusters"]:
        kept = ask("POST", "/api/segments", json={"name": one["name"], "definition": one["definition"]})
        assert (kept.status_code, kept.json().get("definition")) == (200, one["definition"])
        seen = ask("POST", "/api/segments/preview", json={"definition": one["definition"]}).json()
        assert seen["customers"] == EACH
    two = found(workplace, ask, "en", clusters=2)["result"]
    assert (two["chosen"], [one["clusters"] for one in two["tried"]]) == (2, [2])
    assert {one["name"] for one in two["clusters"]}.isdisjoint({one["name"] for one in result["clusters"]})


@pytest.mark.usefixtures("people")
def test_too_few_customers_say_so(workplace: Workplace, ask: Ask) -> None:
    job = found(workplace, ask, "en")
    assert (job["state"], job["problem"]["code"]) == ("failed", "segments.too_few_customers"), job


def test_how_many_groups_is_limited(ask: Ask) -> None:
    assert ask("POST", "/api/segments/clusters", json={"clusters": 13}).status_code == 422
