"""What a request of the collector holds: its key, its events, and whether it keeps to the limits.

Only what cannot be stored is refused here; what the events mean is looked at later, so that the sender need not wait.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import TypeVar

import msgspec

from shuke.base.errors import BadInput
from shuke.collect.model import (
    BATCH_BYTES_MAX,
    BATCH_EVENTS_MAX,
    BATCH_STORED_BYTES_MAX,
    CODE_CHARACTERS_MAX,
    EVENT_BYTES_MAX,
    EVENT_TYPES,
    MESSAGE_ID_CHARACTERS_MAX,
)

__all__ = ["CALLS", "batch_of", "key_of", "single_of", "unpacked"]

#: The last part of the address, and the type of event that it takes; None for a batch. Browsers use the short ones.
CALLS: dict[str, str | None] = {
    **dict(zip(EVENT_TYPES, EVENT_TYPES, strict=True)),
    **{name[0]: name for name in EVENT_TYPES},
    **dict.fromkeys(("batch", "b", "import")),
}


_Decoded = TypeVar("_Decoded")


class _Batch(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw]
    write_key: str | None = None
    sent_at: str | None = None
    context: msgspec.Raw = msgspec.Raw(b"null")


class _Single(msgspec.Struct, rename="camel"):
    write_key: str | None = None
    message_id: str | None = None


class _Item(msgspec.Struct, rename="camel"):
    message_id: str | None = None


_batch = msgspec.json.Decoder(_Batch)
_single = msgspec.json.Decoder(_Single)
_item = msgspec.json.Decoder(_Item)
_NOTHING = (b"", b"null")


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body as it was before its encoding; nothing is unpacked beyond the limit.

    Raises:
        BadInput: ``collect.bad_encoding``, ``collect.body_too_large``.
    """
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise BadInput("collect.bad_encoding")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = unpacker.decompress(body, BATCH_BYTES_MAX + 1)
    except zlib.error:
        raise BadInput("collect.bad_encoding") from None
    if len(plain) > BATCH_BYTES_MAX:
        raise BadInput("collect.body_too_large", limit_bytes=BATCH_BYTES_MAX)
    if not unpacker.eof:
        raise BadInput("collect.bad_encoding")
    return plain


def key_of(authorization: str, in_body: str | None) -> str | None:
    """The write key: the name of Basic authorization, else what the body says."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given.strip(), validate=True).decode().partition(":")[0] or in_body
        except (binascii.Error, UnicodeDecodeError):
            return in_body
    return in_body


def single_of(body: bytes, kind: str) -> tuple[str | None, list[bytes]]:
    """Key and envelope of a request with one event.

    Raises:
        BadInput: ``collect.malformed``, ``collect.event_too_large``, ``collect.long_message_id``.
    """
    single = _decoded(_single, body)
    _check(single.message_id, len(body), 0)
    return _short(single.write_key), [b"[" + body + b',"' + kind.encode() + b'"]']


def batch_of(body: bytes) -> tuple[str | None, list[bytes]]:
    """Key and envelopes of a batch; what the batch says beside its events goes into each envelope.

    Raises:
        BadInput: as :func:`single_of`, and ``collect.too_many_events``, ``collect.batch_too_large``.
    """
    batch = _decoded(_batch, body)
    if len(batch.batch) > BATCH_EVENTS_MAX:
        raise BadInput("collect.too_many_events", limit=BATCH_EVENTS_MAX)
    context = bytes(batch.context)
    sent_at = msgspec.json.encode(batch.sent_at)
    tail = b"]" if (context in _NOTHING and batch.sent_at is None) else b",null," + sent_at + b"," + context + b"]"
    events = [bytes(event) for event in batch.batch]
    for place, event in enumerate(events):
        _check(_decoded(_item, event, place).message_id, len(event) + len(context), place)
    # A context is stored with each event, so that a small body could ask for a hundred times its size.
    if sum(map(len, events)) + len(tail) * len(events) > BATCH_STORED_BYTES_MAX:
        raise BadInput("collect.batch_too_large", limit_bytes=BATCH_STORED_BYTES_MAX)
    return _short(batch.write_key), [b"[" + event + tail for event in events]


def _decoded(decoder: msgspec.json.Decoder[_Decoded], text: bytes, place: int | None = None) -> _Decoded:
    try:
        if place is None and not text.isascii():
            # The decoder skips over what it is not asked for, and over what is no UTF-8 in it.
            text.decode()
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput("collect.malformed", place=place or 0) from None


def _check(message_id: str | None, size: int, place: int) -> None:
    if size > EVENT_BYTES_MAX:
        raise BadInput("collect.event_too_large", place=place, limit_bytes=EVENT_BYTES_MAX)
    if message_id is not None and len(message_id) > MESSAGE_ID_CHARACTERS_MAX:
        raise BadInput("collect.long_message_id", place=place, limit=MESSAGE_ID_CHARACTERS_MAX)


def _short(key: str | None) -> str | None:
    return key if key is None or len(key) <= CODE_CHARACTERS_MAX else None
