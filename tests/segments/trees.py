"""Random trees that can be asked of the histories of :mod:`histories`, of every kind of node, operator and window."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from shuke.segments.model.kinds import Kind
from shuke.segments.model.tree import (
    Anchored,
    Attribute,
    Between,
    Consented,
    Did,
    Ever,
    Facts,
    Figure,
    FigureName,
    Goods,
    Group,
    HasIdentity,
    Last,
    Listed,
    Measured,
    Moved,
    Node,
    Op,
    Orders,
    Property,
    Sequence,
    Share,
    SinceStage,
    Span,
    Step,
    Tagged,
    Test,
    Top,
    Unit,
    Unless,
    What,
    Window,
)

from .histories import (
    AGO_DAYS,
    AMOUNTS,
    BRANDS,
    CATEGORIES,
    CHANNELS,
    DAYS,
    IDENTITIES,
    KINDS,
    LISTS,
    NAMES,
    NUMBERS,
    PERSON,
    PRODUCTS,
    PROPERTIES,
    PURPOSES,
    SESSIONS,
    SOURCES,
    STAGES,
    STATES,
    STORES,
    TAGS,
    TEXTS,
    History,
)

ORDERED = (Op.AT_LEAST, Op.AT_MOST, Op.MORE, Op.LESS)
DATED = (Op.BEFORE, Op.SINCE, Op.BETWEEN, Op.LAST_DAYS, Op.NEXT_DAYS, Op.DAYS_AGO)
THAN = {
    Kind.TEXT: (Op.IS,),
    Kind.NUMBER: (Op.IS, *ORDERED),
    Kind.TRUTH: (Op.IS,),
    Kind.DATE: (Op.BEFORE, Op.SINCE),
}
PARTS = ("hang", "É", "é", "州", "%", "_", "A_B", "'", "\\", "X", "1", "tr", "s")
SHORT = ((1, Unit.MINUTES), (30, Unit.MINUTES), (1, Unit.HOURS), (24, Unit.HOURS), (1, Unit.DAYS), (1, Unit.WEEKS))
LONG = (
    *((days, Unit.DAYS) for days in AGO_DAYS[1:]),
    (2, Unit.WEEKS),
    (1, Unit.MONTHS),
    (2, Unit.MONTHS),
    (3, Unit.MONTHS),
)


def trees_of(seed: int, history: History, count: int) -> list[Node]:
    """So many random trees for a history, always the same ones of a number."""
    maker = _Maker(Random(seed), history)  # noqa: S311 - to be made again
    return [maker.tree(2) for _ in range(count)]


def seeds() -> st.SearchStrategy[int]:
    """Of :func:`trees_of`."""
    return st.integers(0, 2**32 - 1)


class _Maker:
    def __init__(self, dice: Random, history: History) -> None:
        self.dice = dice
        self.today = history.now.astimezone(ZoneInfo(history.zone)).date()

    def few(self, values: tuple[Any, ...], most: int = 2) -> tuple[Any, ...]:
        return tuple(self.dice.sample(values, self.dice.randint(1, min(most, len(values)))))

    def maybe(self, value: Any, chance: float = 0.5) -> Any:
        return value if self.dice.random() < chance else None

    # ---- Tests.

    def day(self) -> str:
        around = (self.today - timedelta(days=self.dice.choice((-30, -1, 0, 1, 2, 7, 14, 30, 31)))).isoformat()
        return self.dice.choice((*DAYS, around, around, around, around, around))

    def days(self) -> tuple[str, str]:
        since, until = sorted((self.day(), self.day()))
        return since, until

    def test(self, kind: Kind, texts: tuple[str, ...] = TEXTS, numbers: tuple[float, ...] = NUMBERS) -> Test:  # noqa: PLR0911 - each kind
        dice = self.dice
        if dice.random() < 0.12:
            return Test(op=dice.choice((Op.KNOWN, Op.UNKNOWN)))
        if kind is Kind.TRUTH:
            return Test(op=dice.choice((Op.IS, Op.IS_NOT)), values=self.few((True, False)))
        if kind is Kind.TEXT:
            op = dice.choice((Op.IS, Op.IS_NOT, Op.CONTAINS, Op.LACKS, Op.BEGINS))
            if op in (Op.IS, Op.IS_NOT):
                return Test(op=op, values=self.few(tuple(text for text in texts if text), 3))
            return Test(op=op, values=self.few(PARTS))
        if kind is Kind.NUMBER:
            op = dice.choice((Op.IS, Op.IS_NOT, *ORDERED, Op.BETWEEN))
            if op is Op.BETWEEN:
                return Test(op=op, values=tuple(sorted(float(dice.choice(numbers)) for _ in range(2))))
            several = op in (Op.IS, Op.IS_NOT)
            return Test(op=op, values=tuple(map(float, self.few(numbers, 2 if several else 1))))
        of_kind = {Kind.DATE: (*DATED, Op.ANNIVERSARY), Kind.YEARLY: (Op.ANNIVERSARY,)}
        op = dice.choice(of_kind.get(kind, DATED))
        if op in (Op.BEFORE, Op.SINCE):
            return Test(op=op, values=(self.day(),))
        if op is Op.BETWEEN:
            return Test(op=op, values=self.days())
        far = (0, 1, 7, 30, 364, 365, 400) if op is Op.ANNIVERSARY else AGO_DAYS
        return Test(op=op, values=(float(dice.choice(far)),))

    # ---- When.

    def span(self, spans: tuple[tuple[int, Unit], ...]) -> Span:
        n, unit = self.dice.choice(spans)
        return Span(n=n, unit=unit)

    def plain_window(self) -> Window:
        luck = self.dice.random()
        if luck < 0.3:
            return Ever()
        if luck < 0.75:
            return Last(span=self.span((*SHORT, *LONG)))
        since, until = self.days()
        return Between(since=since, until=self.maybe(until, 0.6)) if luck < 0.9 else Between(until=until)

    def window(self) -> Window:
        luck = self.dice.random()
        if luck < 0.65:
            return self.plain_window()
        if luck < 0.75:
            return SinceStage()
        return Anchored(
            when=cast(Literal["after", "before"], self.dice.choice(("after", "before"))),
            which=cast(Literal["first", "last"], self.dice.choice(("first", "last"))),
            what=self.what(),
            within=self.maybe(self.span(SHORT), 0.6),
        )

    # ---- What.

    def what(self) -> What:
        return self.facts() if self.dice.random() < 0.6 else self.orders()

    def facts(self) -> Facts:
        dice = self.dice
        return Facts(
            kind=self.maybe(dice.choice(("event", "service", "stage"))),
            name=self.maybe(dice.choice(NAMES), 0.7),
            where=tuple(self.property() for _ in range(dice.choice((0, 0, 1, 1, 2)))),
        )

    def property(self) -> Property:
        dice = self.dice
        luck = dice.random()
        if luck < 0.1:
            return Property(name="amount_minor", test=self.test(Kind.NUMBER, numbers=AMOUNTS))
        if luck < 0.25:
            name, texts = dice.choice((("channel", CHANNELS), ("store", STORES), ("session", SESSIONS)))
            return Property(name=name, test=self.test(Kind.TEXT, texts))
        name = dice.choice(PROPERTIES)
        if name == "nested":  # of which engines write the text in different ways
            return Property(name=name, test=Test(op=dice.choice((Op.KNOWN, Op.UNKNOWN))))
        test = self.test(dice.choice((Kind.TEXT, Kind.NUMBER, Kind.TRUTH)))
        return Property(name=name, test=test)

    def orders(self) -> Orders:
        dice = self.dice
        goods = Goods(
            products=self.few(PRODUCTS) if dice.random() < 0.6 else (),
            categories=self.few(CATEGORIES, 1) if dice.random() < 0.3 else (),
            brands=self.few(BRANDS, 1) if dice.random() < 0.2 else (),
        )
        shares = (0, 0.5, 0.1, 50 / 150, 1 / 101)
        return Orders(
            goods=self.maybe(goods if goods != Goods() else Goods(products=("p1",))),
            channels=self.few(CHANNELS) if dice.random() < 0.3 else (),
            stores=self.few(STORES) if dice.random() < 0.2 else (),
            amount=self.maybe(self.test(Kind.NUMBER, numbers=AMOUNTS), 0.25),
            discount_share=self.maybe(self.test(Kind.NUMBER, numbers=shares), 0.25),
            which=cast(Literal["any", "first", "last"], dice.choice(("any", "any", "first", "last"))),
        )

    # ---- Nodes.

    def tree(self, depth: int) -> Node:
        dice = self.dice
        if depth and dice.random() < 0.4:
            node = cast(Literal["all", "any", "none"], dice.choice(("all", "any", "none")))
            return Group(node=node, of=tuple(self.tree(depth - 1) for _ in range(dice.choice((0, 1, 2, 2, 3)))))
        leaf = dice.choice(
            (
                *(self.attribute,) * 3,
                self.small,
                *(self.figure,) * 2,
                self.moved,
                *(self.did,) * 4,
                *(self.measured,) * 4,
                *(self.sequence,) * 4,
                self.top,
            )
        )
        made: Node = leaf()
        return made

    def attribute(self) -> Node:
        name = self.dice.choice(tuple(KINDS))
        return Attribute(name=name, test=self.than(KINDS[name]) or self.test(KINDS[name]))

    def than(self, kind: Kind) -> Test | None:
        if self.dice.random() > 0.2 or kind not in THAN:
            return None
        other = self.dice.choice([name for name in KINDS if KINDS[name] is kind])
        return Test(op=self.dice.choice(THAN[kind]), than=other)

    def small(self) -> Node:
        dice = self.dice
        share = dice.randrange(0, 60)
        return dice.choice(
            (
                Tagged(tag=dice.choice(TAGS), source=self.maybe(dice.choice(SOURCES))),
                HasIdentity(kind=dice.choice(IDENTITIES)),
                Consented(
                    purpose=dice.choice(PURPOSES), channel=dice.choice(("sms", "email")), state=dice.choice(STATES)
                ),
                Listed(list_id=dice.choice(LISTS)),
                Share(seed=dice.choice(("a", "summer")), since=share, until=share + dice.choice((0.5, 12.25, 40))),
            )
        )

    def figure(self) -> Node:
        name = self.dice.choice(list(FigureName))
        texts: dict[str, tuple[str, ...]] = {"stage": STAGES, "first_channel": CHANNELS, "first_store": STORES}
        numbers = AMOUNTS if name == "historic_clv_minor" else (0, 1, 2, 3, 5, -1)
        return Figure(name=name, test=self.test(kind_of_figure(name), texts.get(name, TEXTS), numbers))

    def moved(self) -> Node:
        change = cast(Literal["entered", "left"], self.dice.choice(("entered", "left")))
        return Moved(change=change, stages=self.few(STAGES), window=self.window())

    def did(self) -> Node:
        dice = self.dice
        times = Test(
            op=dice.choice((Op.AT_LEAST, Op.IS, Op.AT_MOST, Op.MORE, Op.LESS)), values=(dice.choice((0, 1, 2, 3, 4)),)
        )
        if dice.random() < 0.1:
            times = Test(op=Op.BETWEEN, values=(1, 2))
        return Did(what=self.wide(), times=times, window=self.window())

    def measured(self) -> Node:
        dice = self.dice
        what = self.what()
        if isinstance(what, Facts):
            of = dice.choice(("amount_minor", "day", "channel", *(name for name in PROPERTIES if name != "nested")))
        elif what.goods is not None:
            of = dice.choice(("amount_minor", "day", "quantity", "product_id", "category", "brand"))
        else:
            of = dice.choice(("amount_minor", "day"))
        ways = ["sum", "average", "least", "greatest", "first", "last", "distinct"]
        if of == "day":
            ways = ways[2:6]
        elif isinstance(what, Orders) and of in ("product_id", "category", "brand"):
            ways = ways[4:]
        elif isinstance(what, Orders) and what.goods is not None and of == "amount_minor":
            ways += ["share"] * 4
        by = dice.choice(ways)
        if of == "day":
            test = self.test(Kind.MOMENT)
        elif by == "distinct":
            test = self.test(Kind.NUMBER, numbers=(0, 1, 2))
        elif by == "share":
            test = self.than(Kind.NUMBER) or self.test(Kind.NUMBER, numbers=(0, 1, 0.5, 0.25, 1 / 11, 50 / 150))
        elif by in ("first", "last") and of not in ("amount_minor", "quantity"):
            test = self.test(
                dice.choice((Kind.TEXT, Kind.TEXT, Kind.NUMBER, Kind.TRUTH)), (*TEXTS, *PRODUCTS, *CHANNELS)
            )
        else:
            numbers = AMOUNTS if of == "amount_minor" else (*NUMBERS, 3, 13)
            test = self.than(Kind.NUMBER) or self.test(Kind.NUMBER, numbers=numbers)
        return Measured(what=what, of=of, by=cast(Any, by), window=self.window(), test=test)

    def sequence(self) -> Node:
        dice = self.dice
        steps = [Step(what=self.wide(), unless=self.unless())]
        steps += [
            Step(what=self.wide(), within=self.maybe(self.span((*SHORT, *LONG))), unless=self.unless())
            for _ in range(dice.choice((0, 1, 1, 1, 2)))
        ]
        same = cast(Literal["session", "product"] | None, dice.choice((None, None, "session", "product")))
        return Sequence(steps=tuple(steps), same=same, window=self.plain_window())

    def wide(self) -> What:
        """What happens often enough for a window or a sequence to part customers."""
        if self.dice.random() < 0.5:
            return Facts(name=self.dice.choice((*NAMES, None, None)))
        return self.what()

    def unless(self) -> Unless | None:
        return self.maybe(Unless(what=self.wide(), within=self.span((*SHORT, *LONG))), 0.25)

    def top(self) -> Node:
        dice = self.dice
        by = dice.choice([name for name in FigureName if kind_of_figure(name) is not Kind.TEXT])
        if dice.random() < 0.5:
            return Top(by=by, n=dice.choice((1, 2, 5, 100)), lowest=dice.random() < 0.5)
        return Top(by=by, percent=dice.choice((1, 10, 33.33, 50, 100)), lowest=dice.random() < 0.5)


def kind_of_figure(name: FigureName) -> Kind:
    """What a figure is, by its column."""
    if name in ("stage_since", "first_order_at", "last_order_at", "created_at"):
        return Kind.MOMENT
    return {"string": Kind.TEXT, "date": Kind.DATE}.get(PERSON[name], Kind.NUMBER)
