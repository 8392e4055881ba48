"""The vault, and the rotation of its keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke.base.errors import BadInput, Conflict
from shuke.platform import Keyring, Sealer, Transaction, Wrapped, among, array, new_key, sealer_of
from shuke.privacy import rules
from shuke.privacy.model import Rewrapped
from shuke.privacy.tables import guardians, person_keys, vault

READ_PERSONS_MAX = 10_000
WRITE_FIELDS_MAX = 50_000
REWRAP_BATCH_MAX = 10_000

#: The numbers by which a value (its field, its text) can be found again; None for what nobody looks for.
Terms = Callable[[str, str], Collection[int] | None]
#: The number of the day of the year of a value (its field, its text); None for what is no date.
Days = Callable[[str, str], int | None]


def write_fields(
    tx: Transaction,
    keyring: Keyring,
    person_id: UUID,
    fields: Mapping[str, str],
    now: datetime,
    *,
    terms: Terms | None = None,
) -> None:
    """Keep these values of one person, replacing what these fields held.

    Raises:
        Conflict: ``privacy.erased`` when the person has been erased: nothing is ever written there again.
        BadInput: ``privacy.too_long`` when a value is.
    """
    if write_many(tx, keyring, [(person_id, field, text) for field, text in fields.items()], now, terms=terms):
        raise Conflict("privacy.erased")


def write_many(
    tx: Transaction,
    keyring: Keyring,
    values: Iterable[tuple[UUID, str, str]],
    now: datetime,
    *,
    terms: Terms | None = None,
    days: Days | None = None,
) -> frozenset[UUID]:
    """Keep (person, field, text) of many persons in a few statements; of one field given twice, the last counts.

    Who has no key yet gets one. Values of erased persons are not written; these persons are returned. ``terms`` are
    kept beside a value for :func:`holders`, ``days`` for :func:`every_day`.

    Raises:
        BadInput: ``privacy.too_long`` when a value is, ``privacy.too_many`` above :data:`WRITE_FIELDS_MAX` values.
    """
    wanted = {(person_id, field): text for person_id, field, text in values}
    if len(wanted) > WRITE_FIELDS_MAX:
        raise BadInput("privacy.too_many", limit=WRITE_FIELDS_MAX)
    for (_, field), text in wanted.items():
        rules.checked_field(field, text)
    if not wanted:
        return frozenset()
    # In one order everywhere, so that two writers of the same persons wait and never lock each other out.
    given = [(*place, text) for place, text in wanted.items()]
    given.sort(key=lambda one: (one[0].int, one[1]))
    sealers, erased = _sealers_for_writing(tx, keyring, list(dict.fromkeys(one[0] for one in given)), now)
    if erased:
        given = [one for one in given if one[0] not in erased]
    tx.execute(
        sa.text(
            """
            INSERT INTO vault (person_id, field, cipher, terms, day, updated_at)
            SELECT person_id, field, cipher, CAST(terms AS smallint[]), day, CAST(:now AS timestamptz)
            FROM unnest(CAST(:persons AS uuid[]), CAST(:fields AS text[]), CAST(:ciphers AS bytea[]),
                        CAST(:terms AS text[]), CAST(:days AS smallint[]))
                AS given (person_id, field, cipher, terms, day)
            ON CONFLICT (person_id, field) DO UPDATE
            SET (cipher, terms, day, updated_at)
                = (excluded.cipher, excluded.terms, excluded.day, excluded.updated_at)
            """
        ),
        {
            "now": now,
            "persons": array(person_id for person_id, _, _ in given),
            "fields": array(field for _, field, _ in given),
            "ciphers": array(
                sealers[person_id].seal(text.encode(), about=rules.about_field(person_id, field))
                for person_id, field, text in given
            ),
            # Arrays of unequal lengths cannot be one array; as text each is itself.
            "terms": array(
                array(sorted(found)) if terms and (found := terms(field, text)) is not None else None
                for _, field, text in given
            ),
            "days": array(days(field, text) if days else None for _, field, text in given),
        },
    )
    return erased


def holders(terms: Collection[int], most: int) -> sa.Select[Any]:
    """The persons (``person_id``) of whom one value was kept with all of these terms; null alone for over ``most``.

    They are counted among everybody, whomever the reader sees. To be joined by rooms above. Different texts may share
    their terms: who is found is to be confirmed by the value.
    """
    found = sa.func.holders_of(_numbers(terms), most).table_valued(sa.column("person_id", sa.Uuid)).render_derived()
    return sa.select(found.c.person_id)


def holds(person: sa.ColumnElement[UUID], terms: Collection[int]) -> sa.ColumnElement[bool]:
    """The condition that one value of this person was kept with all of these terms."""
    kept = sa.select(vault.c.person_id).where(vault.c.person_id == person, vault.c.terms.contains(_numbers(terms)))
    # By the person's key, and no more than is needed to know: the planner would rather look at all at once.
    return kept.limit(1).scalar_subquery().is_not(None)


def _numbers(terms: Collection[int]) -> sa.ColumnElement[Any]:
    return sa.cast(sorted(terms), vault.c.terms.type)


def add_terms(
    tx: Transaction, keyring: Keyring, terms: Terms, *, fields: Collection[str], prefix: str, batch: int
) -> int:
    """Keep terms beside up to ``batch`` values that have none, of these fields or those that begin so.

    Returns how many it was. Two that do so at once share the work. Values of erased persons are gone.
    """
    # LIKE and IN, with their words in the statement: so the index of what has no terms answers.
    without = vault.c.terms.is_(None) & sa.or_(*_of_fields(fields, prefix))
    found = {
        (person_id, field): array(sorted(terms(field, plain) or ()))
        for person_id, field, plain in _opened(tx, keyring, without, batch)
    }
    tx.execute(
        sa.text(
            """
            UPDATE vault SET terms = CAST(given.terms AS smallint[])
            FROM unnest(CAST(:persons AS uuid[]), CAST(:fields AS text[]), CAST(:terms AS text[]))
                AS given (person_id, field, terms)
            WHERE vault.person_id = given.person_id AND vault.field = given.field
            """
        ),
        {
            "persons": array(person_id for person_id, _ in found),
            "fields": array(field for _, field in found),
            "terms": array(found.values()),
        },
    )
    return len(found)


def every_day() -> sa.Select[Any]:
    """The days of the year of what persons have (``person_id``, ``field``, ``day``), to be joined by rooms above."""
    return sa.select(vault.c.person_id, vault.c.field, vault.c.day).where(vault.c.day.is_not(None))


def add_days(tx: Transaction, keyring: Keyring, days: Days, *, fields: Collection[str], batch: int) -> int:
    """Keep its day of the year beside up to ``batch`` dates of these fields that have none; as :func:`add_terms`."""
    # As the index of such values says it, so that it answers.
    without = vault.c.day.is_(None) & vault.c.terms.is_(None) & sa.and_(*_of_fields(fields, "attribute:"))
    found = {(person_id, field): days(field, plain) for person_id, field, plain in _opened(tx, keyring, without, batch)}
    tx.execute(
        sa.text(
            """
            UPDATE vault SET day = given.day
            FROM unnest(CAST(:persons AS uuid[]), CAST(:fields AS text[]), CAST(:days AS smallint[]))
                AS given (person_id, field, day)
            WHERE vault.person_id = given.person_id AND vault.field = given.field
            """
        ),
        {
            "persons": array(person_id for person_id, _ in found),
            "fields": array(field for _, field in found),
            "days": array(found.values()),
        },
    )
    return len(found)


def _opened(
    tx: Transaction, keyring: Keyring, which: sa.ColumnElement[bool], batch: int
) -> list[tuple[UUID, str, str]]:
    """Up to ``batch`` values as (person, field, text), locked; those that another has locked are left out."""
    rows = tx.execute(
        sa.select(vault.c.person_id, vault.c.field, vault.c.cipher, person_keys.c.version, person_keys.c.wrapped)
        .join(person_keys, vault.c.person_id == person_keys.c.person_id)
        .where(which)
        .limit(batch)
        .with_for_update(of=vault, skip_locked=True)
    ).all()
    return [
        (
            person_id,
            field,
            _sealer(keyring, person_id, version, wrapped)
            .open(cipher, about=rules.about_field(person_id, field))
            .decode(),
        )
        for person_id, field, cipher, version, wrapped in rows
    ]


def read_fields(
    tx: Transaction,
    keyring: Keyring,
    person_ids: Collection[UUID],
    fields: Collection[str] | None = None,
    *,
    prefixes: Collection[str] | None = None,
) -> dict[UUID, dict[str, str]]:
    """The values of these persons by field; who has none, or was erased, is not in it.

    All fields, or only those that are named, or those that begin with one of ``prefixes``.

    Raises:
        BadInput: ``privacy.too_many`` above :data:`READ_PERSONS_MAX` persons.
        NotAvailable: ``platform.no_master_key_version`` when a master key is gone.
    """
    if len(person_ids) > READ_PERSONS_MAX:
        raise BadInput("privacy.too_many", limit=READ_PERSONS_MAX)
    statement = (
        sa.select(vault.c.person_id, vault.c.field, vault.c.cipher, person_keys.c.version, person_keys.c.wrapped)
        .join(person_keys, vault.c.person_id == person_keys.c.person_id)
        .where(vault.c.person_id == among("uuid", person_ids))
        .where(person_keys.c.wrapped.is_not(None))
    )
    if fields is not None:
        statement = statement.where(vault.c.field == among("text", fields))
    if prefixes is not None:
        # A range that the primary key answers; no character comes after the last one.
        ranges = [(vault.c.field >= prefix) & (vault.c.field < prefix + "\U0010ffff") for prefix in prefixes]
        statement = statement.where(sa.or_(*ranges))
    sealers: dict[UUID, Sealer] = {}
    read: dict[UUID, dict[str, str]] = {}
    for person_id, field, cipher, version, wrapped in tx.execute(statement):
        sealer = sealers.get(person_id)
        if sealer is None:
            sealer = sealers[person_id] = _sealer(keyring, person_id, version, wrapped)
        plain = sealer.open(cipher, about=rules.about_field(person_id, field))
        read.setdefault(person_id, {})[field] = plain.decode()
    return read


def erase_fields(tx: Transaction, person_ids: Collection[UUID], fields: Collection[str]) -> None:
    """Forget these fields of these persons; their keys stay."""
    tx.execute(
        sa.delete(vault)
        .where(vault.c.person_id == among("uuid", person_ids))
        .where(vault.c.field == among("text", fields))
    )


def erase(tx: Transaction, person_id: UUID, now: datetime) -> None:
    """Destroy the person's key, so that no copy of a value opens any more, and delete the values; and so for those who
    were appointed as the person's guardians, who are kept for nothing else.

    Doing it again, or for somebody who never had a key, leaves a key that is destroyed: nothing can be written there
    later.
    """
    appointed = sa.select(guardians.c.guardian_id).where(guardians.c.child_id == person_id)
    persons = sorted({person_id, *tx.scalars(appointed)})
    tx.execute(
        sa.text(
            """
            INSERT INTO person_keys (person_id, version, wrapped, created_at, destroyed_at)
            SELECT person_id, 0, NULL, :now, :now FROM unnest(CAST(:persons AS uuid[])) AS gone (person_id)
            ON CONFLICT (person_id) DO UPDATE
            SET wrapped = NULL, destroyed_at = coalesce(person_keys.destroyed_at, excluded.destroyed_at)
            """
        ),
        {"persons": array(persons), "now": now},
    )
    tx.execute(sa.delete(vault).where(vault.c.person_id.in_(persons)))


def rewrap(tx: Transaction, keyring: Keyring, batch: int) -> Rewrapped:
    """Wrap up to ``batch`` data keys anew that are under an older master key; to be called until none remains.

    Values stay as they are: only the keys' wrapping changes. Two that rewrap at once share the work.
    """
    if not 0 < batch <= REWRAP_BATCH_MAX:
        raise BadInput("privacy.too_many", limit=REWRAP_BATCH_MAX)
    rows = tx.execute(
        sa.select(person_keys.c.person_id, person_keys.c.version, person_keys.c.wrapped)
        .where(_outdated(keyring))
        .limit(batch)
        .with_for_update(skip_locked=True)
    ).all()
    wrapped = [
        keyring.wrap(
            keyring.unwrap(Wrapped(version, cipher), about=rules.about_key(person_id, version)),
            about=rules.about_key(person_id, keyring.version),
        )
        for person_id, version, cipher in rows
    ]
    tx.execute(
        sa.text(
            """
            UPDATE person_keys SET version = :version, wrapped = anew.wrapped
            FROM unnest(CAST(:persons AS uuid[]), CAST(:wrapped AS bytea[])) AS anew (person_id, wrapped)
            WHERE person_keys.person_id = anew.person_id
            """
        ),
        {
            "version": keyring.version,
            "persons": array(row.person_id for row in rows),
            "wrapped": array(one.cipher for one in wrapped),
        },
    )
    return Rewrapped(len(rows), outdated_keys(tx, keyring))


def outdated_keys(tx: Transaction, keyring: Keyring) -> int:
    """How many data keys are under an older master key than the newest."""
    return tx.execute(sa.select(sa.func.count()).select_from(person_keys).where(_outdated(keyring))).scalar_one()


def _of_fields(fields: Collection[str], prefix: str) -> list[sa.ColumnElement[bool]]:
    begin: sa.BindParameter[str] = sa.bindparam("begin", f"{prefix}%", literal_execute=True)
    named: sa.BindParameter[list[str]] = sa.bindparam("named", sorted(fields), expanding=True, literal_execute=True)
    return [vault.c.field.like(begin), vault.c.field.in_(named)]


def _outdated(keyring: Keyring) -> sa.ColumnElement[bool]:
    return person_keys.c.wrapped.is_not(None) & (person_keys.c.version < keyring.version)


def _sealers_for_writing(
    tx: Transaction, keyring: Keyring, persons: list[UUID], now: datetime
) -> tuple[dict[UUID, Sealer], frozenset[UUID]]:
    """Sealers under the data keys of these persons, in order, made where there is none, and who of them was erased.

    The rows are locked, so that nobody is erased between the reading of the key and the writing of the value.
    """
    sealers, erased = _locked_sealers(tx, keyring, persons)
    made = {person_id: new_key() for person_id in persons if person_id not in sealers and person_id not in erased}
    if not made:
        return sealers, erased
    stored = tx.execute(
        sa.text(
            """
            INSERT INTO person_keys (person_id, version, wrapped, created_at)
            SELECT person_id, :version, wrapped, :now
            FROM unnest(CAST(:persons AS uuid[]), CAST(:wrapped AS bytea[])) AS anew (person_id, wrapped)
            ON CONFLICT (person_id) DO NOTHING
            """
        ),
        {
            "version": keyring.version,
            "now": now,
            "persons": array(made),
            "wrapped": array(
                keyring.wrap(key, about=rules.about_key(person_id, keyring.version)).cipher
                for person_id, key in made.items()
            ),
        },
        execution_options={"preserve_rowcount": True},
    )
    if stored.rowcount < len(made):
        # Another was faster, and has committed.
        theirs, erased_meanwhile = _locked_sealers(tx, keyring, list(made))
        return sealers | theirs, erased | erased_meanwhile
    return sealers | {person_id: sealer_of(key) for person_id, key in made.items()}, erased


def _locked_sealers(
    tx: Transaction, keyring: Keyring, persons: list[UUID]
) -> tuple[dict[UUID, Sealer], frozenset[UUID]]:
    """Sealers under the data keys that these persons have, and who was erased."""
    rows = tx.execute(
        sa.select(person_keys.c.person_id, person_keys.c.version, person_keys.c.wrapped)
        .where(person_keys.c.person_id == among("uuid", persons))
        .order_by(person_keys.c.person_id)
        .with_for_update(read=True)
    ).all()
    sealers = {
        person_id: _sealer(keyring, person_id, version, cipher)
        for person_id, version, cipher in rows
        if cipher is not None
    }
    return sealers, frozenset(row.person_id for row in rows if row.wrapped is None)


def _sealer(keyring: Keyring, person_id: UUID, version: int, wrapped: bytes) -> Sealer:
    """What opens and closes the values of a person; set up once, since that takes longer than a value."""
    return sealer_of(keyring.unwrap(Wrapped(version, wrapped), about=rules.about_key(person_id, version)))
