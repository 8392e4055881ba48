"""What a trait says, as a statement of the segment language and in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from shuke.base.language import Language, catalogue
from shuke.base.wording import say_percent
from shuke.segments.model.profile import Trait
from shuke.segments.model.surveys import ANSWER, ANSWERED, SURVEY
from shuke.segments.model.tree import (
    Attribute,
    Did,
    Facts,
    Figure,
    FigureName,
    Goods,
    Measured,
    Node,
    Op,
    Orders,
    Property,
    Tagged,
    Test,
)
from shuke.segments.rules.checking import written_tree
from shuke.segments.rules.wording import Names, amount, sentence

__all__ = ["called", "contrast", "names_of_groups", "statement", "told", "worth_telling"]

_NAME_MAX = 100


def statement(trait: Trait) -> Node | None:
    """That a customer has the value; None of a number, of which no value is said. Of a survey it is the last answer."""
    value = trait.value
    if value is None:
        return None
    text = str(value)
    match trait.what:
        case "figure":
            return Figure(name=FigureName(str(trait.name)), test=Test(op=Op.IS, values=(text,)))
        case "tag":
            return Tagged(tag=text)
        case "category" | "brand":
            goods = Goods(categories=(text,)) if trait.what == "category" else Goods(brands=(text,))
            return Did(what=Orders(goods=goods))
        case "survey":
            which = Property(name=SURVEY, test=Test(op=Op.IS, values=(str(trait.name),)))
            what, test = Facts(name=ANSWERED, where=(which,)), Test(op=Op.IS, values=(text,))
            return Measured(what=what, of=ANSWER, by="last", test=test)
        case _:
            return Attribute(name=str(trait.name), test=Test(op=Op.IS, values=(value,)))


def called(trait: Trait, language: Language, names: Names) -> str:
    """What the trait is of, in words: a statement, or what the number is."""
    said = statement(trait)
    if said is not None:
        return sentence(said, language, names)
    texts = catalogue("shuke.segments", language)
    if trait.what == "survey":
        return texts("text.traits.score", survey=trait.name)
    key = f"text.{trait.what}s.{trait.name}"
    return texts(key) if texts.has(key) else str(trait.name)


def contrast(trait: Trait, language: Language, names: Names) -> str:
    """The trait in words, with what it comes to on both sides."""
    texts = catalogue("shuke.segments", language)
    one, other = _both(trait, language, names)
    key = "share" if trait.mean is None else "mean"
    return texts(f"text.traits.{key}", what=called(trait, language, names), one=one, other=other)


def told(trait: Trait, language: Language, names: Names) -> dict[str, Any]:
    """The trait with its words (``text``), and the ``definition`` of whoever has the value; None of a number."""
    said = statement(trait)
    definition = None if said is None else written_tree(said)
    return {**vars(trait), "text": contrast(trait, language, names), "definition": definition}


def worth_telling(traits: Iterable[Trait], language: Language, names: Names) -> tuple[Trait, ...]:
    """Those of which both sides are not the same in words: 0.01 days against 0.01 say nothing to anybody."""
    said = ((trait, _both(trait, language, names)) for trait in traits)
    return tuple(trait for trait, (one, other) in said if one != other)


def _both(trait: Trait, language: Language, names: Names) -> tuple[str, str]:
    """What the trait comes to on both sides, in words."""
    if trait.mean is None:
        return say_percent(trait.share or 0.0, language), say_percent(trait.share_against or 0.0, language)
    name = str(trait.name)
    return amount(trait.mean, name, language, names), amount(trait.mean_against or 0.0, name, language, names)


def names_of_groups(groups: Sequence[Sequence[Trait]], language: Language, names: Names) -> list[str]:
    """A name for each group by its first traits: two of them, or as many as tell it from the others."""
    texts = catalogue("shuke.segments", language)
    given: list[str] = []
    for number, group in enumerate(groups, start=1):
        said = [_named(one, language, names) for one in group if one.mean is not None or one.effect > 0]
        tries = [texts("text.traits.and").join(said[:many]) for many in range(2, len(said) + 1)]
        fresh = [one for one in tries if one not in given and len(one) <= _NAME_MAX]
        given.append(fresh[0] if fresh else texts("text.traits.group", number=number))
    return given


def _named(trait: Trait, language: Language, names: Names) -> str:
    what = called(trait, language, names)
    if trait.mean is None:
        return what
    return catalogue("shuke.segments", language)(f"text.traits.{'high' if trait.effect > 0 else 'low'}", what=what)
