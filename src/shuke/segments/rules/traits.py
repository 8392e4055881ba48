"""What a trait says, as a statement of the segment language and in words."""

from __future__ import annotations

from collections.abc import Sequence

from shuke.base.language import Language, catalogue
from shuke.base.wording import say_percent
from shuke.segments.model.profile import Trait
from shuke.segments.model.tree import Attribute, Did, Figure, FigureName, Goods, Node, Op, Orders, Tagged, Test
from shuke.segments.rules.wording import Names, amount, sentence

__all__ = ["called", "contrast", "names_of_groups", "statement"]


_NAME_MAX = 100


def statement(trait: Trait) -> Node | None:
    """That a customer has the value; None of a number, of which no value is said."""
    value = trait.value
    if value is None:
        return None
    text = str(value)
    match trait.what:
        case "figure":
            return Figure(name=FigureName(str(trait.name)), test=Test(op=Op.IS, values=(text,)))
        case "tag":
            return Tagged(tag=text)
        case "category":
            return Did(what=Orders(goods=Goods(categories=(text,))))
        case "brand":
            return Did(what=Orders(goods=Goods(brands=(text,))))
        case _:
            return Attribute(name=str(trait.name), test=Test(op=Op.IS, values=(value,)))


def called(trait: Trait, language: Language, names: Names) -> str:
    """What the trait is of, in words: a statement, or what the number is."""
    said = statement(trait)
    if said is not None:
        return sentence(said, language, names)
    texts = catalogue("shuke.segments", language)
    key = f"text.{trait.what}s.{trait.name}"
    return texts(key) if texts.has(key) else str(trait.name)


def contrast(trait: Trait, language: Language, names: Names) -> str:
    """The trait in words, with what it comes to on both sides."""
    texts = catalogue("shuke.segments", language)
    what = called(trait, language, names)
    if trait.share is not None and trait.share_against is not None:
        one, other = (say_percent(share, language) for share in (trait.share, trait.share_against))
        return texts("text.traits.share", what=what, one=one, other=other)
    one, other = (amount(mean or 0.0, str(trait.name), language, names) for mean in (trait.mean, trait.mean_against))
    return texts("text.traits.mean", what=what, one=one, other=other)


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
