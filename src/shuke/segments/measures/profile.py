"""What sets some customers apart from others: each table in one pass, the differences on one scale.

Differences of shares and of means are compared by effect sizes (Cohen, Statistical Power Analysis for the Behavioral
Sciences, 2nd ed. 1988): h (section 6.2) of two shares, d (section 2.5, with the pooled standard deviation) of two
means. Both say how far apart two sides are, whatever the unit, and do not grow with the number of customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import ibis
import ibis.expr.types as ir

from shuke.segments.measures.happenings import now_of
from shuke.segments.measures.subjects import Subjects
from shuke.segments.measures.values import NO, YES
from shuke.segments.measures.words import LONG, commonest
from shuke.segments.model.clock import Clock
from shuke.segments.model.kinds import FIGURES, Kind
from shuke.segments.model.surveys import ANSWER, ANSWERED, SCORE, SURVEY
from shuke.segments.model.tree import FigureName

__all__ = ["AGES", "CUSTOMERS_MIN", "DAY_US", "NUMBERS", "TRAITS_MAX", "sides_of", "traits"]

#: Differences that are told, and values of one text that are looked at (fewer than int64 has bits), the commonest.
TRAITS_MAX = 40
VALUES_MAX = 50
#: Surveys that are looked at, those with the most answers.
SURVEYS_MAX = 20
#: Below so many customers on a side, or with a value on both together, a difference is mostly chance.
CUSTOMERS_MIN = 30

DAY_US = 86_400_000_000
#: The numbers that are compared; scores and bounds, which say the same again, are not.
NUMBERS = (
    FigureName.ORDERS,
    FigureName.ORDER_DAYS,
    FigureName.AVERAGE_DAYS_BETWEEN_ORDERS,
    FigureName.AVERAGE_ORDER,
    FigureName.HISTORIC_CLV,
    FigureName.PREDICTED_CLV,
    FigureName.TOTAL_CLV,
    FigureName.CHURN_PROBABILITY,
    FigureName.PREDICTED_NUMBER_OF_ORDERS,
)
#: Moments of which the days since then are compared.
AGES = (FigureName.JOINED, FigureName.FIRST_ORDER, FigureName.LAST_ORDER)

_ROW = {"what": "string", "name": "string", "value": "string"}
_SIDES = ("one", "other")
_COMPARING = ("known", "mean", "variance")
_MEANS = ("what", "name", *(f"{figure}_{side}" for figure in _COMPARING for side in _SIDES))
_COMPARED = ("share", "share_against", "mean", "mean_against", "effect")


def sides_of(subjects: Subjects, one: ir.Table, other: ir.Table | None) -> ir.Table:
    """Who is on which side: customer_id, and the truths ``one`` and ``other``; who is on neither is left out.

    Args:
        subjects: everybody.
        one: the customers (``customer_id``) of the first side.
        other: likewise of the second, which may have some in common; None for everybody who is not on the first.
    """
    against = subjects.people.anti_join(one, "customer_id") if other is None else other
    rows = ibis.union(
        one.select("customer_id", one=YES, other=NO), against.select("customer_id", one=NO, other=YES), distinct=False
    )
    return rows.group_by("customer_id").aggregate(one=rows.one.any(), other=rows.other.any())


def traits(subjects: Subjects, sides: ir.Table, clock: Clock, kinds: Mapping[str, Kind]) -> ir.Table:
    """What sets the sides apart, as :class:`~shuke.segments.model.profile.Trait` has it, the greatest effect first.

    Args:
        subjects: everybody.
        sides: of :func:`sides_of`.
        clock: since when ages are counted, and which tags last.
        kinds: of the attributes that may be told.
    """
    people = subjects.people.join(sides, "customer_id")
    had = ibis.union(
        _texts(subjects, people, kinds),
        _tags(subjects, sides, clock),
        _goods(subjects, sides),
        _answers(subjects, sides),
        distinct=False,
    )
    means = ibis.union(_means(_numbers(subjects, people, clock, kinds), people), _scores(subjects, sides))
    found = ibis.union(_of_shares(had, sides), _of_means(means))
    found = found.filter(found.effect.notnull())
    return found.order_by([found.effect.abs().desc(), "what", "name", "value"]).limit(TRAITS_MAX)


def cohens_h(share: ir.FloatingValue, against: ir.FloatingValue) -> ir.FloatingValue:
    """2·arcsin √p₁ − 2·arcsin √p₂, between −π and π (Cohen 1988, formula 6.2.1)."""
    return cast(ir.FloatingValue, 2 * share.sqrt().asin() - 2 * against.sqrt().asin())


def cohens_d(
    mean: tuple[ir.Value, ir.Value], variance: tuple[ir.Value, ir.Value], known: tuple[ir.Value, ir.Value]
) -> ir.FloatingValue:
    """The difference of two means in pooled standard deviations; null where nothing varies (Cohen 1988, 2.5.1).

    Each pair is of the first and the second side; variances are those of samples (n − 1).
    """
    pooled = sum((n - 1) * spread for n, spread in zip(known, variance, strict=True)) / (known[0] + known[1] - 2)
    return cast(ir.FloatingValue, (mean[0] - mean[1]) / pooled.sqrt().nullif(0.0))


def _struct(what: str, name: str | None, value: ir.Value) -> ir.Value:
    return ibis.struct({"what": what, "name": ibis.literal(name, type="string"), "value": value})


def _texts(subjects: Subjects, people: ir.Table, kinds: Mapping[str, Kind]) -> ir.Table:
    """What is known of people in words, a row each."""
    figures = [_struct("figure", one.value, people[one.value]) for one, kind in FIGURES.items() if kind is Kind.TEXT]
    attributes = [
        _struct("attribute", name, subjects.read(people.attributes, name, kind))
        for name, kind in kinds.items()
        if kind in (Kind.TEXT, Kind.TRUTH)
    ]
    return _each(people, [*figures, *attributes])


def _tags(subjects: Subjects, sides: ir.Table, clock: Clock) -> ir.Table:
    tags = subjects.tags
    lasting = tags.filter(tags.expires_us.isnull() | (tags.expires_us > now_of(subjects, clock)))
    rows = lasting.select("customer_id", "tag").distinct().join(sides, "customer_id")
    return _each(rows, [_struct("tag", None, rows.tag)])


def _goods(subjects: Subjects, sides: ir.Table) -> ir.Table:
    """The categories and the brands that each has ever bought, of those with the most lines.

    Of each customer one number, a bit for each: to keep every pair of a customer and a category apart is much slower.
    """
    lines, names = subjects.lines, ("category", "brand")
    for name in names:
        bits = _bits(subjects.lines, name).rename({name: "value", f"{name}_bit": "bit"})
        lines = lines.left_join(bits, name).drop(f"{name}_right")
    of_each = lines.group_by("customer_id").aggregate(**{name: lines[f"{name}_bit"].bit_or() for name in names})
    rows = of_each.join(sides, "customer_id")
    each = []
    for name in names:
        had = rows.cross_join(_bits(subjects.lines, name))
        had = had.filter((had[name] & had.bit) != 0)
        each.append(had.select("one", "other", what=ibis.literal(name), name=ibis.null("string"), value=had["value"]))
    return ibis.union(*each, distinct=False)


def _surveyed(subjects: Subjects, of: str, kind: Kind) -> ir.Table:
    """What each customer last answered to each of the commonest surveys: customer_id, name, value.

    It is what ``measured`` has by ``last``: of two at one moment the greater. What somebody wrote at length is no word.
    """
    facts = subjects.facts.filter(subjects.facts["name"] == ANSWERED)
    rows = facts.select(
        "customer_id",
        "us",
        name=subjects.inside_fact(facts, SURVEY),
        value=subjects.read_text(subjects.inside_fact(facts, of), kind),
    )
    words = ("name", "value") if kind is Kind.TEXT else ("name",)
    rows = rows.filter(rows["value"].notnull(), *((rows[word] != "") & (rows[word].length() <= LONG) for word in words))
    rows = rows.semi_join(commonest(rows, "name", SURVEYS_MAX), [("name", "value")])
    latest = ibis.window(group_by=["customer_id", "name"], order_by=[rows.us.desc(), rows["value"].desc()])
    rows = rows.mutate(place=ibis.row_number().over(latest))
    return rows.filter(rows.place == 0).select("customer_id", "name", "value")


def _answers(subjects: Subjects, sides: ir.Table) -> ir.Table:
    rows = _surveyed(subjects, ANSWER, Kind.TEXT).join(sides, "customer_id")
    return rows.mutate(what=ibis.literal("survey")).select("one", "other", *_ROW)


def _scores(subjects: Subjects, sides: ir.Table) -> ir.Table:
    rows = _surveyed(subjects, SCORE, Kind.NUMBER).join(sides, "customer_id")
    said = {
        f"{figure}_{side}": worked.cast("float64")
        for side in _SIDES
        for figure, worked in _figures(rows["value"], rows[side]).items()
    }
    return rows.group_by("name").aggregate(**said).mutate(what=ibis.literal("survey")).select(*_MEANS)


def _bits(lines: ir.Table, name: str) -> ir.Table:
    """The commonest values of a column, each with a bit of its own in an int64: value, bit."""
    known = lines.select(value=lines[name]).filter(ibis._["value"].notnull())
    counted = known.group_by("value").aggregate(times=known.count())
    place = ibis.row_number().over(ibis.window(order_by=[counted.times.desc(), counted["value"]]))
    first = counted.mutate(place=place)
    first = first.filter(first.place < VALUES_MAX)
    return first.select("value", bit=ibis.literal(1, type="int64") << first.place)


def _each(rows: ir.Table, structs: list[ir.Value]) -> ir.Table:
    """One row for each of these values that is known: one, other, what, name, value."""
    found = rows.select("one", "other", had=ibis.array(structs).unnest())
    found = found.select("one", "other", **{name: found.had[name] for name in _ROW})
    return found.filter(found["value"].notnull())


def _of_shares(had: ir.Table, sides: ir.Table) -> ir.Table:
    counted = had.group_by(list(_ROW)).aggregate(one=had.one.sum(), other=had.other.sum(), all=had.count())
    order = [counted["all"].desc(), counted["value"]]
    place = ibis.row_number().over(ibis.window(group_by=["what", "name"], order_by=order))
    common = counted.mutate(place=place)
    common = common.filter((common.place < VALUES_MAX) & (common["all"] >= CUSTOMERS_MIN))
    sizes = sides.aggregate(size=sides.one.sum(), size_other=sides.other.sum())
    sizes = sizes.filter((sizes["size"] >= CUSTOMERS_MIN) & (sizes.size_other >= CUSTOMERS_MIN))
    rows = common.cross_join(sizes)
    rows = rows.mutate(share=rows.one / rows["size"], share_against=rows.other / rows.size_other)
    return _compared(rows.mutate(mean=_NOTHING, mean_against=_NOTHING, effect=cohens_h(rows.share, rows.share_against)))


def _numbers(
    subjects: Subjects, people: ir.Table, clock: Clock, kinds: Mapping[str, Kind]
) -> dict[tuple[str, str], ir.Value]:
    now = now_of(subjects, clock)
    found = {("figure", one.value): people[one.value].cast("float64") for one in NUMBERS}
    # The name says that it is the days since then, and no day itself.
    found |= {("figure", f"days_since_{one.value}"): (now - people[one.value]) / DAY_US for one in AGES}
    for name, kind in kinds.items():
        if kind is Kind.NUMBER:
            found["attribute", name] = subjects.read(people.attributes, name, kind)
    return found


def _figures(value: ir.Value, where: ir.Value) -> dict[str, ir.Value]:
    """What a comparison of means needs of one side."""
    spread = value.var(how="sample", where=where)
    return {"known": value.count(where=where), "mean": value.mean(where=where), "variance": spread}


def _means(numbers: dict[tuple[str, str], ir.Value], people: ir.Table) -> ir.Table:
    """All of them in one row, which becomes a row each."""
    said = {
        f"{figure}_{side}_{number}": worked
        for number, value in enumerate(numbers.values())
        for side in _SIDES
        for figure, worked in _figures(value, people[side]).items()
    }
    row = people.aggregate(**said)
    each = [
        ibis.struct(
            {"what": what, "name": name}
            | {
                f"{figure}_{side}": row[f"{figure}_{side}_{number}"].cast("float64")
                for figure in _COMPARING
                for side in _SIDES
            }
        )
        for number, (what, name) in enumerate(numbers)
    ]
    return row.select(found=ibis.array(each).unnest()).unpack("found").select(*_MEANS)


def _of_means(means: ir.Table) -> ir.Table:
    rows = means.filter((means.known_one >= CUSTOMERS_MIN) & (means.known_other >= CUSTOMERS_MIN))
    pairs = [(rows[f"{figure}_one"], rows[f"{figure}_other"]) for figure in ("mean", "variance", "known")]
    rows = rows.mutate(effect=cohens_d(*pairs), value=ibis.null("string"), share=_NOTHING, share_against=_NOTHING)
    return _compared(rows.rename(mean="mean_one", mean_against="mean_other"))


_NOTHING = ibis.null("float64")


def _compared(rows: ir.Table) -> ir.Table:
    return rows.select(*_ROW, *_COMPARED)
