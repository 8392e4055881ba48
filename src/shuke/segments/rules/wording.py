"""How a tree reads, in Chinese and in English: sentences that say what holds for whom something is not known."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from shuke.base.language import Catalogue, Language, catalogue
from shuke.base.money import from_minor, minor_digits
from shuke.base.wording import say_date, say_money, say_number, say_percent
from shuke.segments.model.kinds import Comparing, Kind
from shuke.segments.model.surveys import surveys_of
from shuke.segments.model.tree import (
    Anchored,
    Attribute,
    Between,
    Consented,
    Did,
    Facts,
    Figure,
    Goods,
    Group,
    HasIdentity,
    InSegment,
    Last,
    Listed,
    Measured,
    Moved,
    Near,
    Node,
    Op,
    Orders,
    Sequence,
    Share,
    SinceStage,
    Span,
    Tagged,
    Test,
    Top,
    Value,
    What,
    Window,
)

__all__ = ["Names", "amount", "happening", "known", "sentence"]

_PERCENT = ("p_alive", "churn_probability", "discount_share", "share_of_spending")


@dataclass(frozen=True)
class Names:
    """What people call things: the currency of money, stages, segments, lists and stores by their codes and ids."""

    currency: str | None = None
    stages: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[UUID, str] = field(default_factory=dict)
    lists: Mapping[UUID, str] = field(default_factory=dict)
    stores: Mapping[str, str] = field(default_factory=dict)


def sentence(node: Node, language: Language, names: Names) -> str:
    """The tree in words."""
    return _Words(catalogue("shuke.segments", language), names).node(node, outermost=True)


def amount(value: float, name: str, language: Language, names: Names) -> str:
    """A number of this name as people write it, to two decimals."""
    return _Words(catalogue("shuke.segments", language), names).value(round(value, 2), name, Op.IS)


def known(node: Comparing, value: Value | date | None, kind: Kind, language: Language, names: Names) -> str:
    """The value that a node compares, in words; a moment as its day."""
    return _Words(catalogue("shuke.segments", language), names).known(node, value, kind)


def happening(
    kind: str, name: str | None, product: str | None, amount_minor: int | None, language: Language, names: Names
) -> str:
    """Something that happened, in words: a fact of this kind and name, or an order (of a product), and its amount."""
    words = _Words(catalogue("shuke.segments", language), names)
    return words.happening(kind, name, product, amount_minor)


def _measure(node: Measured) -> str:
    """What a figure is called that is measured, by which its values are written; a number of things has no name."""
    return {"distinct": "", "share": "share_of_spending"}.get(node.by, node.of)


@dataclass(frozen=True)
class _Words:
    texts: Catalogue
    names: Names

    def node(self, node: Node, *, outermost: bool = False) -> str:
        """A node in words; a group inside another in brackets."""
        if isinstance(node, Group):
            return self._group(node, outermost=outermost)
        if isinstance(node, Did | Measured | Moved | Sequence):
            return self._happened(node)
        match node:
            case Attribute():
                text = self.test(self._attribute(node.name), node.test, node.name)
            case Figure():
                text = self.test(self.say(f"figures.{node.name.value}"), node.test, node.name.value)
            case Tagged():
                text = self.say("tag" if node.source is None else "tag_of", tag=node.tag, source=node.source)
            case HasIdentity():
                text = self.say("identity", kind=self._called("identities", node.kind))
            case Consented():
                state = self._called("consents", node.state)
                purpose, channel = self._called("purposes", node.purpose), self._called("channels", node.channel)
                text = self.say("consent", purpose=purpose, channel=channel, state=state)
            case Share():
                text = self.say("share", since=f"{node.since:g}", until=f"{node.until:g}", seed=node.seed)
            case Top():
                text = self._top(node)
            case Near():
                stores = self.either([self.names.stores.get(store, store) for store in node.stores])
                text = self.say(f"near_{node.within}", stores=stores)
            case InSegment() | Listed():
                text = self._named(node)
        return text

    def _happened(self, node: Did | Measured | Moved | Sequence) -> str:
        if isinstance(node, Did):
            return self._did(node)
        if isinstance(node, Measured):
            return self._measured(node)
        if isinstance(node, Sequence):
            return self._sequence(node)
        stages = self.either([self.names.stages.get(stage, stage) for stage in node.stages])
        return self.say(node.change, stages=stages, window=self.window(node.window))

    def _named(self, node: InSegment | Listed) -> str:
        if isinstance(node, InSegment):
            return self.say("segment", name=self.names.segments.get(node.segment_id, str(node.segment_id)))
        return self.say("list", name=self.names.lists.get(node.list_id, str(node.list_id)))

    def say(self, key: str, **values: Any) -> str:
        return self.texts(f"text.{key}", **values)

    def either(self, parts: Several[str]) -> str:
        return self.say("or").join(parts)

    def _group(self, group: Group, *, outermost: bool) -> str:
        parts = [self.node(one, outermost=group.node != "none" and len(group.of) == 1) for one in group.of]
        if not parts:
            return self.say("nobody" if group.node == "any" else "everybody")
        joined = self.say("or" if group.node in ("any", "none") else "and").join(parts)
        if group.node == "none":
            return self.say("none", parts=joined)
        return joined if outermost or len(parts) == 1 else self.say("brackets", parts=joined)

    def _called(self, kind: str, code: str) -> str:
        return self.say(f"{kind}.{code}") if self.texts.has(f"text.{kind}.{code}") else code

    def _attribute(self, name: str) -> str:
        return self._called("attributes", name)

    def test(self, what: str, test: Test, name: str) -> str:
        """A value of this name, compared."""
        if test.than is not None:
            return self.say(f"than.{test.op.value}", what=what, other=self._attribute(test.than))
        values = [self.value(one, name, test.op) for one in test.values]
        if test.op is Op.BETWEEN:
            return self.say("tests.between", what=what, low=values[0], high=values[1])
        return self.say(f"tests.{test.op.value}", what=what, values=self.either(values))

    def value(self, value: Value, name: str, op: Op) -> str:
        """A value as people write it."""
        language = self.texts.language
        if isinstance(value, bool):
            return self.say("yes" if value else "no")
        if isinstance(value, str):
            return self._word(value, name, op)
        if op in (Op.LAST_DAYS, Op.NEXT_DAYS, Op.DAYS_AGO, Op.ANNIVERSARY) or not name:
            return say_number(value, language)
        if name.endswith("_minor") and self.names.currency is not None:
            digits = minor_digits(self.names.currency)
            return say_money(
                from_minor(round(value), self.names.currency), self.names.currency, language, digits=digits
            )
        if name in _PERCENT:
            return say_percent(value, language)
        return f"{value:g}" if abs(value) < 1e6 else say_number(value, language)

    def _word(self, value: str, name: str, op: Op) -> str:
        if op in (Op.BEFORE, Op.SINCE, Op.BETWEEN):
            return say_date(date.fromisoformat(value), self.texts.language)
        if name == "stage":
            return self.names.stages.get(value, value)
        if name in ("rfm_group", "value_group") and op in (Op.IS, Op.IS_NOT):
            return self._called(f"{name}s", value)
        return self.say("quoted", text=value)

    def known(self, node: Comparing, value: Value | date | None, kind: Kind) -> str:
        """What is known of a customer."""
        if value is None:
            return self.say("known.nothing")
        if kind is Kind.YEARLY:
            return self.say("known.sealed")
        if isinstance(node, Did):
            return self.say("known.times", n=say_number(float(value), self.texts.language))  # type: ignore[arg-type] # a count
        if isinstance(value, date):
            return say_date(value, self.texts.language)
        if kind is Kind.TRUTH:
            return self.say("yes" if value == "true" else "no")
        name = _measure(node) if isinstance(node, Measured) else str(node.name)
        if isinstance(value, int | float):
            value = round(float(value), 4 if name in _PERCENT else 2)
        return self.value(value, name, Op.IS)

    def happening(self, kind: str, name: str | None, product: str | None, amount_minor: int | None) -> str:
        """Something that happened."""
        called = self._called("kinds", kind)
        if kind == "stage" and name is not None:
            called = self.say("known.stage", stage=self.names.stages.get(name, name))
        elif name is not None:
            called = self.say("quoted", text=name)
        more = [self.say("quoted", text=product)] if product is not None else []
        more += [self.value(amount_minor, "amount_minor", Op.IS)] if amount_minor is not None else []
        return self.say("known.and").join([called, *more])

    def span(self, span: Span) -> str:
        """A length of time."""
        return self.say(f"spans.{span.unit.value}{'' if span.n != 1 else '_1'}", n=span.n)

    def window(self, window: Window) -> str:
        """A window, with the blank before it; nothing for ever."""
        if isinstance(window, Last):
            return self.say("windows.last", span=self.span(window.span))
        if isinstance(window, Between):
            return self._between(window)
        if isinstance(window, SinceStage):
            return self.say("windows.since_stage")
        if isinstance(window, Anchored):
            which = self.say(f"which.{window.which}")
            key = window.when if window.within is None else f"{window.when}_within"
            span = "" if window.within is None else self.span(window.within)
            return self.say(f"windows.{key}", which=which, what=self.what(window.what), span=span)
        return ""

    def _between(self, window: Between) -> str:
        language = self.texts.language
        days = {
            name: say_date(date.fromisoformat(day), language)
            for name, day in (("since", window.since), ("until", window.until))
            if day is not None
        }
        return self.say(f"windows.{'between' if len(days) == 2 else next(iter(days))}", **days)

    def what(self, what: What) -> str:
        """What happened, as a noun."""
        if isinstance(what, Facts):
            name = self.say("quoted", text=what.name) if what.name else self._called("kinds", what.kind or "any")
            tests = [self.test(self._called("properties", one.name), one.test, one.name) for one in what.where]
            return name if not tests else self.say("with", what=name, tests=self.say("and").join(tests))
        text = self.say(f"orders.{what.which}")
        if what.goods is not None:
            text = self.say("with_goods", what=text, goods=self.goods(what.goods))
        tests = [
            self.test(self.say(f"properties.{name}"), test, name)
            for name, test in (("amount_minor", what.amount), ("discount_share", what.discount_share))
            if test is not None
        ]
        tests += [
            self.say(f"orders.{name}", values=self.either([self.say("quoted", text=one) for one in given]))
            for name, given in (("channel", what.channels), ("store", what.stores))
            if given
        ]
        return text if not tests else self.say("with", what=text, tests=self.say("and").join(tests))

    def goods(self, goods: Goods) -> str:
        """These goods, of all that are named."""
        named = (goods.products, goods.categories, goods.brands)
        return self.say("and").join(
            self.either([self.say("quoted", text=one) for one in given]) for given in named if given
        )

    def _did(self, node: Did) -> str:
        what, window, times = self.what(node.what), self.window(node.window), node.times
        if times in (Test(op=Op.IS, values=(0,)), Test(op=Op.AT_MOST, values=(0,)), Test(op=Op.LESS, values=(1,))):
            return self.say("did.never", what=what, window=window)
        if times in (Test(op=Op.AT_LEAST, values=(1,)), Test(op=Op.MORE, values=(0,))):
            return self.say("did.once", what=what, window=window)
        values = [say_number(float(one), self.texts.language) for one in times.values]
        low, high = values[0], values[-1]
        return self.say(f"did.{times.op.value}", what=what, window=window, n=low, high=high, values=self.either(values))

    def _measured(self, node: Measured) -> str:
        if node.by == "share" and isinstance(node.what, Orders) and node.what.goods is not None:
            return self._share(node, node.what, node.what.goods)
        said = {"of": self._called("properties", node.of), "window": self.window(node.window)}
        surveys = surveys_of(node)
        if surveys:
            figure = self.say(
                "answered", surveys=self.either([self.say("quoted", text=one) for one in surveys]), **said
            )
        else:
            figure = self.say(f"by.{node.by}", what=self.what(node.what), **said)
        return self.test(figure, node.test, _measure(node))

    def _share(self, node: Measured, what: Orders, goods: Goods) -> str:
        """Of what was spent, so much on these goods."""
        only = replace(what, goods=None)
        orders = "" if only == Orders() else self.say("spending.only", what=self.what(only))
        said = {"goods": self.goods(goods), "window": self.window(node.window), "orders": orders}
        key = f"spending.{node.test.op.value}"
        if node.test.than is not None or not self.texts.has(f"text.{key}"):
            return self.test(self.say("by.share", **said), node.test, _measure(node))
        values = [self.value(one, _measure(node), node.test.op) for one in node.test.values]
        return self.say(key, values=self.either(values), low=values[0], high=values[-1], **said)

    def _sequence(self, node: Sequence) -> str:
        text = self.say("sequence.first", what=self.what(node.steps[0].what), window=self.window(node.window))
        for number, step in enumerate(node.steps):
            if number:
                within = "" if step.within is None else self.say("sequence.within", span=self.span(step.within))
                text += self.say("sequence.then", what=self.what(step.what), within=within)
            if step.unless is not None:
                span = self.span(step.unless.within)
                text += self.say("sequence.unless", what=self.what(step.unless.what), span=span)
        return text if node.same is None else text + self.say(f"sequence.same_{node.same}")

    def _top(self, node: Top) -> str:
        many = say_number(node.n, self.texts.language) if node.n is not None else f"{node.percent or 0:g}%"
        return self.say("lowest" if node.lowest else "top", many=many, by=self.say(f"figures.{node.by.value}"))
