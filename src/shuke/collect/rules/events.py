"""What an event in the inbox says: read, timed, with what is personal taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import msgspec

from shuke.collect.model import (
    CODE_CHARACTERS_MAX,
    EVENT_TYPES,
    MESSAGE_ID_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    Event,
    Incoming,
    Json,
    OrderStatement,
    RefundStatement,
    Reject,
)
from shuke.collect.rules.commerce import order_of, refund_of
from shuke.collect.rules.headers import plain
from shuke.collect.rules.moments import occurred, read_moment
from shuke.collect.rules.personal import REMOVED, apart, is_personal_text, vocabulary, without_null

#: Where the parts of the context stand among the properties of a fact.
CONTEXT = "$context"


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """An envelope (``model.Envelope``), read with all that is in it."""

    event: Incoming
    type: str | None = None
    sent_at: str | None = None
    context: Json | None = None


_stored = msgspec.json.Decoder(_Stored)
# What a code or a number may be written as; no truth value is one.
_CODES = frozenset((str, int))
_TYPES = {str: "text", bool: "boolean", int: "number", float: "number", list: "list", dict: "object"}
# The events of a batch share the moment at which it was sent.
_sent = lru_cache(maxsize=1024)(read_moment)


def read_event(stored: bytes, *, received_at: datetime, fallback_id: str, default_currency: str | None = None) -> Event:
    """The event of one row of the inbox.

    Args:
        stored: its envelope (``model.Envelope``), as JSON.
        received_at: when its request came in.
        fallback_id: identifies the message where its sender did not.
        default_currency: of the source, for amounts without one.

    Raises:
        Reject: with the reason, when it cannot become a fact.
    """
    try:
        envelope = _stored.decode(stored)
    except msgspec.ValidationError:
        raise Reject("bad_type") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Reject("malformed") from None
    incoming = envelope.event
    context = {**(envelope.context or {}), **(incoming.context or {})}
    kind = envelope.type or incoming.type
    if kind not in EVENT_TYPES:
        raise Reject("unknown_type")
    if kind == "track" and not incoming.event:
        raise Reject("no_name")
    message_id = incoming.message_id or fallback_id
    if len(message_id) > MESSAGE_ID_CHARACTERS_MAX:
        raise Reject("long_message_id")
    traits = _traits(kind, incoming, context)
    ids = _ids(kind, incoming, context, traits)
    if not ids:
        raise Reject("no_identity")
    original = read_moment(incoming.original_timestamp or incoming.timestamp)
    moment = occurred(original, _sent(incoming.sent_at or envelope.sent_at), received_at)
    return _event(
        incoming,
        kind=kind,
        context=context,
        traits=traits,
        ids=ids,
        message_id=message_id,
        moments=(moment, None if original in (None, moment) else original, received_at),
        default_currency=default_currency,
    )


def _event(
    incoming: Incoming,
    *,
    kind: str,
    context: Json,
    traits: Json,
    ids: tuple[tuple[str, str], ...],
    message_id: str,
    moments: tuple[datetime, datetime | None, datetime],
    default_currency: str | None,
) -> Event:
    said = incoming.properties or {}
    given = traits if kind in ("identify", "group") else said
    properties, personal = apart(given, of_person=kind in ("identify", "group"))
    if kept := _kept_context(context):
        properties = {**properties, CONTEXT: kept}
    if kind == "group" and incoming.group_id is not None:
        group = _code(str(incoming.group_id))
        properties = {**properties, "group_id": REMOVED if is_personal_text(group, reference=True) else group}
    order, refund = _commerce(kind, incoming, default_currency, message_id)
    money = order or refund
    amount = money.amount_minor if money else None
    occurred_at, original_at, received_at = moments
    channel, store, session = _places(said, context)
    return Event(
        type=kind,
        kind="order" if order else "refund" if refund else kind,
        name=_name(kind, incoming),
        message_id=message_id,
        occurred_at=occurred_at,
        original_at=original_at,
        received_at=received_at,
        ids=ids,
        properties=properties,
        # What identify says is kept as traits of the person.
        personal={} if kind == "identify" else personal,
        traits=traits if kind == "identify" else {},
        fields=_fields(given),
        channel=channel,
        store=store,
        session=session,
        amount_minor=amount,
        currency=money.currency if money and amount is not None else None,
        order_id=money.order_id if money else None,
        order=order,
        refund=refund,
    )


def _name(kind: str, incoming: Incoming) -> str:
    if kind == "track":
        name = incoming.event or ""
    elif kind in ("page", "screen"):
        name = " ".join(part for part in (incoming.category, incoming.name) if part)
    else:
        return ""
    return REMOVED if is_personal_text(name) else without_null(name)[:NAME_CHARACTERS_MAX]


def _traits(kind: str, incoming: Incoming, context: Json) -> Json:
    """What the event says of the person; one client says it in the context."""
    within = context.get("traits")
    traits = {**within} if isinstance(within, dict) and kind != "group" else {}
    return {**traits, **(incoming.traits or {})} if kind in ("identify", "group") else traits


def _ids(kind: str, incoming: Incoming, context: Json, traits: Json) -> tuple[tuple[str, str], ...]:
    """The external ids, as (kind, value), each once."""
    given: list[tuple[str, Any]] = [("user_id", incoming.user_id)]
    if kind != "group":
        given += [(one, traits[field]) for field in traits if (one := _identifiers().get(plain(field))) is not None]
    if "externalIds" in context:
        given += _stated_ids(context["externalIds"])
    given.append(("anonymous_id", incoming.anonymous_id))
    if kind == "alias":
        given.append(("anonymous_id", incoming.previous_id))
    device = context.get("device")
    if isinstance(device, dict):
        given.append(("device", device.get("id")))
    found: dict[tuple[str, str], None] = {}
    for one, value in given:
        if type(value) in _CODES:
            text = str(value).strip()
            if text and len(text) <= CODE_CHARACTERS_MAX:
                found[(one, text)] = None
    return tuple(found)


def _stated_ids(external: Any) -> Iterator[tuple[str, Any]]:
    """What the context says to be ids."""
    for given in external[:20] if isinstance(external, list) else ():
        if isinstance(given, dict) and (one := _external_ids().get(str(given.get("type")))) is not None:
            yield one, given.get("id")


@cache
def _identifiers() -> dict[str, str]:
    return {plain(name): kind for kind, names in vocabulary()["identifiers"].items() for name in names}


@cache
def _external_ids() -> dict[str, str]:
    return {name: kind for kind, names in vocabulary()["external_ids"].items() for name in names}


@cache
def _kept_parts() -> dict[str, frozenset[str]]:
    """The parts of the context that are kept, and which fields of each; none stands for all."""
    parts: dict[str, frozenset[str]] = {}
    for path in vocabulary()["context"]:
        part, _, inner = path.partition(".")
        parts[part] = parts.get(part, frozenset()) | ({inner} if inner else frozenset())
    return parts


def _kept_context(context: Json) -> Json:
    """The parts of the context that may be kept, without what is personal in them."""
    kept: Json = {}
    parts = _kept_parts()
    for part, value in context.items():
        fields = parts.get(part)
        if fields is None or value is None:
            continue
        if not fields:
            kept[part] = value
        elif type(value) is dict and (some := {field: value[field] for field in value if field in fields}):
            kept[part] = some
    return apart(kept, of_person=False)[0] if kept else kept


def _commerce(
    kind: str, incoming: Incoming, default_currency: str | None, message_id: str
) -> tuple[OrderStatement | None, RefundStatement | None]:
    state = vocabulary()["orders"].get(incoming.event) if kind == "track" else None
    if state is None:
        return None, None
    properties = incoming.properties or {}
    if state == "refunded":
        return None, refund_of(properties, default_currency=default_currency, message_id=message_id)
    return order_of(state, properties, default_currency=default_currency), None


@cache
def _place_names() -> dict[str, tuple[str, ...]]:
    return {where: tuple(vocabulary()["places"][where]) for where in ("channel", "store", "session")}


@cache
def _all_place_names() -> frozenset[str]:
    return frozenset(name for names in _place_names().values() for name in names)


def _places(properties: Json, context: Json) -> tuple[str | None, str | None, str | None]:
    """Channel, store and session, where the event names them."""
    names = _all_place_names()
    if names.isdisjoint(properties) and names.isdisjoint(context):
        return None, None, None
    return (
        _place("channel", properties, context),
        _place("store", properties, context),
        _place("session", properties, context),
    )


def _place(where: str, properties: Json, context: Json) -> str | None:
    for holder in (properties, context):
        for name in _place_names()[where]:
            value = holder.get(name)
            if type(value) in _CODES and (text := _code(str(value))):
                return None if is_personal_text(text) else text
    return None


def _code(text: str) -> str:
    return without_null(text).strip()[:CODE_CHARACTERS_MAX]


def _fields(given: Json) -> tuple[tuple[str, str], ...]:
    """Names and types of the fields that are filled."""
    if "" in given.values():
        given = {field: value for field, value in given.items() if value != ""}
    return _described(tuple(given), tuple(map(type, given.values())))


@lru_cache(maxsize=8192)
def _described(fields: tuple[str, ...], types: tuple[type, ...]) -> tuple[tuple[str, str], ...]:
    # Events of one name mostly have the same fields.
    named = ((_shown(field), _TYPES.get(kind)) for field, kind in zip(fields, types, strict=True))
    return tuple((shown, kind) for shown, kind in named if shown is not None and kind is not None)


def _shown(field: str) -> str | None:
    return None if is_personal_text(field) else without_null(field)[:CODE_CHARACTERS_MAX]
