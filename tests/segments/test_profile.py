"""What sets two sides apart, against a plain calculation with NumPy that knows nothing of the measures."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import ibis
import numpy as np
import pyarrow as pa
import pytest

from shuke import collect, lifecycle, profiles
from shuke.base.language import Language
from shuke.insight.rfm import RFM_GROUPS, VALUE_GROUPS
from shuke.platform import Workplace
from shuke.segments.measures import INSIDE, Subjects, sides_of, traits
from shuke.segments.measures import profile as profile_measures
from shuke.segments.model.clock import Clock
from shuke.segments.model.kinds import Kind
from shuke.segments.model.profile import Trait
from shuke.segments.rules.checking import Vocabulary, checked, read_tree, written_tree
from shuke.segments.rules.traits import contrast, statement, worth_telling
from shuke.segments.rules.wording import Names
from shuke.segments.service.columns import columns_now
from shuke.segments.service.subjects import COLUMNS

from .test_membership import TEA, bought, made, people  # noqa: F401 - a fixture

NOW = datetime(2026, 3, 31, 4, 0, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
DAY_US = 86_400_000_000
KINDS = {"city": Kind.TEXT, "vip": Kind.TRUTH, "cups": Kind.NUMBER}
TEXTS = ("stage", "rfm_group", "value_group", "first_channel", "first_store", "region")
NUMBERS = (
    "orders",
    "order_days",
    "average_days_between_orders",
    "average_order_minor",
    "historic_clv_minor",
    "predicted_clv_minor",
    "total_clv_minor",
    "churn_probability",
    "predicted_number_of_orders",
)
MOMENTS = ("created_at", "first_order_at", "last_order_at")
_ARROW = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "date": pa.date32()}

Rows = dict[str, list[dict[str, Any]]]


def planted(seed: int) -> Rows:
    """Customers of whom much is not known, some twice tagged, with tags that are over, and lines that repeat."""
    chance = np.random.default_rng(seed)

    def some(value: Any) -> Any:
        return None if chance.random() < 0.2 else value

    rows: Rows = {name: [] for name in COLUMNS}
    for number in range(600):
        kept = {
            "city": some(f"city {int(chance.integers(0, 70) ** 2 / 100)}"),
            "vip": some(bool(chance.random() < 0.1 + number / 1000)),
            "cups": some(float(chance.integers(0, 9))),
        }
        one: dict[str, Any] = {
            "customer_id": number,
            "attributes": json.dumps({name: value for name, value in kept.items() if value is not None}),
            "average_days_between_orders": some(float(chance.normal(30, 9))) if number % 17 == 0 else None,
        }
        one |= {name: f"{name} {chance.integers(0, 4)}" for name in TEXTS if name == "stage" or chance.random() < 0.8}
        for name in NUMBERS:
            if COLUMNS["people"][name] == "int64":
                one[name] = some(int(chance.integers(1, 50) + number // 20))
            elif name not in one:
                # What does not vary has no effect.
                one[name] = 1.5 if name == "predicted_number_of_orders" else some(float(chance.normal(number, 300)))
        one |= {name: some(NOW_US - int(chance.integers(0, 700)) * DAY_US) for name in MOMENTS}
        rows["people"].append(one)
        for tag in ("red", "rare", "over", "blue"):
            if chance.random() < {"red": number / 900, "rare": 0.02, "over": 0.5, "blue": 0.4}[tag]:
                ends = {"over": NOW_US, "blue": NOW_US + 1}.get(tag)
                rows["tags"] += [
                    {"customer_id": number, "tag": tag, "source": source, "expires_us": ends} for source in "ab"
                ]
        for _ in range(int(chance.integers(0, 5))):
            goods = {"category": some(f"C{chance.integers(0, 3)}"), "brand": some(f"B{chance.integers(0, 60)}")}
            rows["lines"] += [{"customer_id": number, **goods}] * 2
        for _ in range(int(chance.integers(0, 4))):
            survey = str(chance.choice(["nps", "taste", "rare"], p=[0.5, 0.48, 0.02]))
            said = {
                "score": some(int(chance.integers(0, 8) + number // 200)) if survey != "taste" else None,
                "answer": some(f"{survey} {chance.integers(0, 4) * (number > 300)}") if survey != "nps" else "",
                "survey": some(survey),
            }
            # Few moments, so that some answers are of one; others are of another name, or a letter and no word.
            fact = {
                "customer_id": number,
                "us": int(chance.integers(0, 5)),
                "kind": str(chance.choice(["survey", "track"])),
            }
            name = str(chance.choice(["Survey Answered", "Survey Sent"], p=[0.9, 0.1]))
            rows["facts"].append(fact | {"name": name, "properties": json.dumps(said)})
            letter = json.dumps({"survey": "taste", "answer": "x" * 101})
            rows["facts"].append(fact | {"us": 9, "name": "Survey Answered", "properties": letter})
    return rows


Values = dict[tuple[str, str | None, str], set[int]]
Numbers = dict[tuple[str, str], dict[int, float]]


def known_of(rows: Rows) -> tuple[Values, Numbers]:
    """Who has each value, and of whom each number is what."""
    values: Values = {}
    numbers: Numbers = {}
    for person in rows["people"]:
        who, kept = person["customer_id"], json.loads(person["attributes"])
        truth = {True: "true", False: "false"}.get(kept.get("vip"))
        texts = {("figure", name): person.get(name) for name in TEXTS}
        for key, text in (texts | {("attribute", "city"): kept.get("city"), ("attribute", "vip"): truth}).items():
            values.setdefault((*key, text), set()).add(who)
        found = {("figure", name): person.get(name) for name in NUMBERS} | {("attribute", "cups"): kept.get("cups")}
        for name in MOMENTS:
            found["figure", f"days_since_{name}"] = person[name] and (NOW_US - person[name]) / DAY_US
        for number, value in found.items():
            numbers.setdefault(number, {})[who] = math.nan if value is None else float(value)
    for tag in rows["tags"]:
        if tag["expires_us"] is None or tag["expires_us"] > NOW_US:
            values.setdefault(("tag", None, tag["tag"]), set()).add(tag["customer_id"])
    for (who, survey), score in last_answers(rows, "score").items():
        numbers.setdefault(("survey", survey), dict.fromkeys(range(600), math.nan))[who] = score
    for (who, survey), answer in last_answers(rows, "answer").items():
        values.setdefault(("survey", survey, answer), set()).add(who)
    for line in rows["lines"]:
        for name in ("category", "brand"):
            values.setdefault((name, None, line[name]), set()).add(line["customer_id"])
    return {key: having for key, having in values.items() if key[-1] is not None}, numbers


def last_answers(rows: Rows, what: str) -> dict[tuple[int, str], Any]:
    """Of each customer and survey the last that is known, of two at one moment the greater."""
    latest: dict[tuple[int, str], tuple[int, Any]] = {}
    for fact in rows["facts"]:
        said = json.loads(fact["properties"])
        found = said.get(what)
        if fact["name"] == "Survey Answered" and said["survey"] and found not in (None, "") and len(str(found)) <= 100:
            key = fact["customer_id"], said["survey"]
            latest[key] = max(latest.get(key, (-1, found)), (fact["us"], found))
    return {key: found for key, (_, found) in latest.items()}


def plainly(rows: Rows, one: set[int], other: set[int]) -> dict[tuple[str, str | None, str | None], tuple[float, ...]]:
    """Of each trait: the two shares or means, and the effect."""
    values, numbers = known_of(rows)
    told: dict[tuple[str, str | None, str | None], tuple[float, ...]] = {}
    for key, having in values.items():
        if len(having & (one | other)) >= 30:
            shares = [len(having & side) / len(side) for side in (one, other)]
            told[key] = (*shares, 2 * math.asin(math.sqrt(shares[0])) - 2 * math.asin(math.sqrt(shares[1])))
    for (what, name), known in numbers.items():
        sides = [np.array([known[who] for who in side if not math.isnan(known[who])]) for side in (one, other)]
        if min(map(len, sides)) >= 30:
            weights = [len(side) - 1 for side in sides]
            spread = math.sqrt(sum(n * side.var(ddof=1) for n, side in zip(weights, sides, strict=True)) / sum(weights))
            if spread > 0:
                means = [float(side.mean()) for side in sides]
                told[what, name, None] = (*means, (means[0] - means[1]) / spread)
    return told


def measured(rows: Rows, one: set[int], other: set[int] | None) -> list[dict[str, Any]]:
    engine = ibis.duckdb.connect()
    tables = {}
    for name, columns in COLUMNS.items():
        schema = pa.schema([(column, _ARROW[kind]) for column, kind in columns.items()])
        schema = schema.set(schema.get_field_index("customer_id"), pa.field("customer_id", pa.int64()))
        tables[name] = ibis.memtable(pa.Table.from_pylist(rows[name], schema=schema))
    subjects = Subjects(**tables, everybody=tables["people"], inside=INSIDE["duckdb"])
    first, second = (
        None if side is None else subjects.people.filter(subjects.people.customer_id.isin(side)).select("customer_id")
        for side in (one, other)
    )
    assert first is not None
    found = traits(subjects, sides_of(subjects, first, second), Clock(NOW, "Asia/Shanghai"), KINDS)
    return list(engine.to_pyarrow(found).to_pylist())


def difference(rows: Rows, one: set[int], other: set[int] | None) -> str | None:
    """Where the measures and the plain calculation are not of one mind."""
    found = measured(rows, one, other)
    told = plainly(rows, one, set(range(600)) - one if other is None else other)
    for row in found:
        key = row["what"], row["name"], row["value"]
        wanted = told.get(key)
        pair = ("mean", "mean_against") if row["value"] is None else ("share", "share_against")
        got = (*(row[name] for name in pair), row["effect"])
        if wanted is None or not np.allclose(got, wanted, rtol=1e-9, atol=1e-12):
            return f"{key}: {got} is not {wanted}"
    strongest = sorted((abs(wanted[-1]) for wanted in told.values()), reverse=True)[:40]
    if not np.allclose([abs(row["effect"]) for row in found], strongest, rtol=1e-9, atol=1e-12):
        return "not the greatest effects, in their order"
    return None


EVERY_THIRD, UPPER, SMALL = set(range(0, 600, 3)), set(range(250, 600)), set(range(29))


@pytest.mark.parametrize("other", [None, UPPER])
@pytest.mark.parametrize("one", [EVERY_THIRD, UPPER - {400}, set(range(200))])
def test_as_numpy_has_it(one: set[int], other: set[int] | None) -> None:
    assert difference(planted(1), one, other) is None


def test_few_customers_tell_nothing() -> None:
    assert measured(planted(2), SMALL, None) == []
    assert len(measured(planted(2), SMALL | {29}, None)) > 10


def test_a_wrong_spread_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = profile_measures.cohens_d

    def unpooled(mean: Any, variance: Any, known: Any) -> Any:
        return right(mean, (variance[0], variance[0]), known)

    monkeypatch.setattr(profile_measures, "cohens_d", unpooled)
    assert "is not" in str(difference(planted(1), EVERY_THIRD, UPPER))


def test_answers_to_surveys_are_told() -> None:
    told = {(row["name"], row["value"]) for row in measured(planted(1), EVERY_THIRD, UPPER) if row["what"] == "survey"}
    everybody = measured(planted(1), set(range(300)), None)
    assert {("nps", None), ("taste", "taste 0")} <= told | {(row["name"], row["value"]) for row in everybody}


def test_an_earlier_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    surveyed = profile_measures._surveyed

    def earliest(subjects: Subjects, *rest: Any) -> Any:
        return surveyed(replace(subjects, facts=subjects.facts.mutate(us=-subjects.facts.us)), *rest)

    monkeypatch.setattr(profile_measures, "_surveyed", earliest)
    assert "survey" in str(difference(planted(1), set(range(300)), None))


@pytest.mark.parametrize(
    ("language", "answer", "score"),
    [
        (
            Language.ENGLISH,
            "the last answer in the survey “taste” is “green”: 50.0% against 25.0%",
            "last score in the survey “taste”: 9 on average against 6.5",
        ),
        (
            Language.CHINESE,
            "对调查“taste”最近一次的回答是“green”：50.0%，对比 25.0%",
            "调查“taste”最近一次的得分：平均 9，对比 6.5",
        ),
    ],
)
def test_answers_are_said_in_words(language: Language, answer: str, score: str) -> None:
    nothing = dict.fromkeys(("value", "share", "share_against", "mean", "mean_against"))
    base = nothing | {"what": "survey", "name": "taste", "effect": 0.5}
    green = Trait(**(base | {"value": "green", "share": 0.5, "share_against": 0.25}))
    points = Trait(**(base | {"mean": 9.0, "mean_against": 6.5}))
    assert [contrast(one, language, Names()) for one in (green, points)] == [answer, score]
    tree = statement(green)
    assert tree is not None
    assert checked(tree, Vocabulary()) == read_tree(written_tree(tree))
    assert statement(points) is None


def test_what_reads_the_same_on_both_sides_is_not_told() -> None:
    nothing = dict.fromkeys(("value", "share", "share_against", "mean", "mean_against"))
    ages = [
        nothing | {"what": "figure", "name": "days_since_created_at", "mean": mean, "mean_against": 0.0121}
        for mean in (0.0119, 3.0)
    ]
    shares = [
        nothing | {"what": "tag", "name": None, "value": "VIP", "share": share, "share_against": 0.0001}
        for share in (0.0003, 0.01)
    ]
    traits = [Trait(**one, effect=0.9) for one in (*ages, *shares)]
    assert worth_telling(traits, Language.ENGLISH, Names()) == (traits[1], traits[3])


@pytest.mark.parametrize("language", Language)
def test_groups_are_called_by_their_names(language: Language) -> None:
    for name, groups in (("rfm_group", RFM_GROUPS), ("value_group", VALUE_GROUPS)):
        for group in groups:
            trait = Trait(
                what="figure",
                name=name,
                value=group,
                share=0.5,
                share_against=0.25,
                mean=None,
                mean_against=None,
                effect=0.5,
            )
            assert group not in contrast(trait, language, Names())


Ask = Callable[..., httpx.Response]


@pytest.fixture
def crowd(workplace: Workplace, people: dict[str, UUID]) -> None:  # noqa: F811 - the fixture
    """Sixty more, half of whom bought tea, and half a pot."""
    assert people
    now = datetime.now(UTC).replace(microsecond=0)
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=now)
        for number in range(60):
            member, tea = f"more{number}", number < 30
            profiles.resolve(tx, workplace.keyring, [[("member_number", member)]], now)
            order = bought(source, member, 9 + number % 5, "茶" if tea else "壶", 1_000 + 10 * number)
            collect.save_orders(tx, workplace.keyring, [order], now)
    lifecycle.refresh(workplace, as_of=lifecycle.last_midnight(now, "UTC"), now=now + timedelta(seconds=1))
    columns_now(workplace)


@pytest.mark.usefixtures("crowd")
def test_a_segment_against_the_others_and_another(ask: Ask) -> None:
    tea = made(ask, "Tea", {"node": "did", "what": TEA})["segment_id"]
    pot = {"of": "orders", "goods": {"categories": ["壶"]}}
    pots = made(ask, "Pots", {"node": "did", "what": pot})["segment_id"]
    found = ask("GET", f"/api/segments/{tea}/profile", headers={"Accept-Language": "zh-CN"}).json()
    assert (found["customers"], found["against"]) == (33, 31)
    first, second = found["items"][:2]
    assert {(one["what"], one["value"]) for one in (first, second)} >= {("category", "茶")}
    assert max(first["effect"], second["effect"]) == pytest.approx(math.pi)
    assert "有含“茶”的订单：100.0%，对比 0.0%" in [one["text"] for one in found["items"]]
    kept = next(one["definition"] for one in found["items"] if one["value"] == "茶")
    assert ask("POST", "/api/segments/preview", json={"definition": kept}).json()["customers"] == 33
    assert {one["definition"] for one in found["items"] if one["value"] is None} == {None}
    beside = ask("GET", f"/api/segments/compare?one={tea}&other={pots}").json()
    assert [beside[name] for name in ("both", "only_one", "only_other")] == [1, 32, 30]
    assert (beside["one"]["name"], beside["one"]["customers"], beside["other"]["customers"]) == ("Tea", 33, 31)
    assert beside["one"]["value_minor"] > beside["other"]["value_minor"] > 0
    assert [abs(one["effect"]) for one in beside["items"]] == sorted(
        (abs(one["effect"]) for one in beside["items"]), reverse=True
    )
    against = ask("GET", f"/api/segments/{tea}/profile?against={pots}").json()
    assert against["items"] == beside["items"]
    unknown = "01890000-0000-7000-8000-000000000000"
    assert ask("GET", f"/api/segments/{tea}/profile?against={unknown}").json()["code"] == "segments.no_segment"
