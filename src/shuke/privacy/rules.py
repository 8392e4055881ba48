"""What may be shown, who has to consent, and which word of a customer counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from shuke.base.errors import BadInput
from shuke.privacy.model import Consent, CurrentConsent

# The age from which a person consents alone: Personal Information Protection Law, art. 28 and 31.
ADULT_YEARS = 14
# Clocks of those who record consent may be ahead by this much.
CLOCK_SKEW = timedelta(minutes=5)
# Nobody consented to a notice of ours before.
YEAR_MIN = 1990
FIELD_CHARACTERS_MAX = 120
VALUE_CHARACTERS_MAX = 20_000

# A person's data key is made once and never replaced; should that ever change, this number tells the ciphers apart.
_DATA_KEY_VERSION = 1
_HIDDEN = "***"
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,49}")
_REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,99}")


def about_key(person_id: UUID, version: int) -> bytes:
    """What a wrapped data key belongs to: its person and the version of the master key."""
    return b"key|%d|" % version + person_id.bytes


def about_field(person_id: UUID, field: str) -> bytes:
    """What a cipher belongs to: its person, field and data key, so that it opens in no other place."""
    return b"vault|%d|" % _DATA_KEY_VERSION + person_id.bytes + b"|" + field.encode()


def mask(kind: str, text: str) -> str:
    """A value as somebody may see it who may not see it; of kinds that are not known, nothing is shown."""
    known = {"phone": mask_phone, "email": mask_email, "name": mask_name}.get(kind)
    return known(text) if known else _HIDDEN


def mask_phone(text: str) -> str:
    """``13812345678`` and ``+8613812345678`` as ``138****5678``; shorter numbers show their last two digits."""
    digits = re.sub(r"\D", "", text.removeprefix("+86"))
    if len(digits) >= 10:
        return f"{digits[:3]}****{digits[-4:]}"
    return _HIDDEN + (digits[-2:] if len(digits) >= 6 else "")


def mask_email(text: str) -> str:
    """``anna@x.com`` as ``a***@x.com``; nothing of what is no address."""
    local, at, domain = text.rpartition("@")
    return f"{local[0]}{_HIDDEN}@{domain}" if at and local else _HIDDEN


def mask_name(text: str) -> str:
    """``王小明`` as ``王**``: the first character, and a star for each other one, three at most."""
    name = text.strip()
    return name[:1] + "*" * min(max(len(name) - 1, 1), 3) if name else ""


def age_years(birth_date: date, day: date) -> int:
    """Whole years on this day; who was born on 29 February turns a year older on 1 March in common years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def needs_guardian(birth_date: date | None, now: datetime) -> bool:
    """Whether somebody has to consent for this person: the age is known, and under fourteen."""
    return birth_date is not None and age_years(birth_date, now.date()) < ADULT_YEARS


def checked_consent(consent: Consent, now: datetime) -> Consent:
    """The consent itself.

    Raises:
        BadInput: ``privacy.bad_consent`` when a code is none (they are plain words, since the ledger is kept for ever
            and must hold nothing personal), ``privacy.consent_time`` when it was said in the future, or
            long before there was anything to consent to.
    """
    coded = {"purpose": consent.purpose, "channel": consent.channel, "by": consent.by}
    wrong = [name for name, code in coded.items() if not _CODE.fullmatch(code)]
    for name, text in (("notice_version", consent.notice_version), ("reference", consent.proof.reference)):
        if text is not None and not _REFERENCE.fullmatch(text):
            wrong.append(name)
    if wrong:
        raise BadInput("privacy.bad_consent", fields=wrong)
    if consent.at.tzinfo is None or consent.at.year < YEAR_MIN or consent.at > now + CLOCK_SKEW:
        raise BadInput("privacy.consent_time")
    return consent


def checked_code(field: str, code: str) -> None:
    """Refuse what is no plain code: BadInput ``privacy.bad_consent``."""
    if not _CODE.fullmatch(code):
        raise BadInput("privacy.bad_consent", fields=[field])


def current(consents: Iterable[CurrentConsent]) -> tuple[CurrentConsent, ...]:
    """What counts of all that was said: for each purpose and channel the latest word, and of one moment the last."""
    latest: dict[tuple[str, str], CurrentConsent] = {}
    for one in consents:
        place = (one.purpose, one.channel)
        known = latest.get(place)
        if known is None or (one.at, one.event_id) > (known.at, known.event_id):
            latest[place] = one
    return tuple(latest[place] for place in sorted(latest))


def checked_field(field: str, text: str) -> None:
    """Refuse what is too long for the vault: BadInput ``privacy.too_long``."""
    if not 0 < len(field) <= FIELD_CHARACTERS_MAX or len(text) > VALUE_CHARACTERS_MAX:
        raise BadInput("privacy.too_long", field=field[:FIELD_CHARACTERS_MAX], limit=VALUE_CHARACTERS_MAX)
