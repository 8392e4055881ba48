"""What protects a person: the vault of personal values, the ledger of consent, guardians, masks.

Knows ``platform`` and below. A *person* is the customer under whose id a value was first stored; this room does not
know which of them are one customer by now.
"""

from shuke.privacy.model import (
    BIRTH_DATE,
    Consent,
    ConsentState,
    CurrentConsent,
    Proof,
    ProofMethod,
    Rewrapped,
)
from shuke.privacy.rules import age_years, current, mask, mask_email, mask_name, mask_phone, needs_guardian
from shuke.privacy.service.consent import appoint_guardian, consents, dismiss_guardian, every_consent, record_consent
from shuke.privacy.service.vault import (
    Days,
    Terms,
    add_days,
    add_terms,
    erase,
    erase_fields,
    every_day,
    holders,
    holds,
    outdated_keys,
    read_fields,
    rewrap,
    write_fields,
    write_many,
)

__all__ = [
    "BIRTH_DATE",
    "Consent",
    "ConsentState",
    "CurrentConsent",
    "Days",
    "Proof",
    "ProofMethod",
    "Rewrapped",
    "Terms",
    "add_days",
    "add_terms",
    "age_years",
    "appoint_guardian",
    "consents",
    "current",
    "dismiss_guardian",
    "erase",
    "erase_fields",
    "every_consent",
    "every_day",
    "holders",
    "holds",
    "mask",
    "mask_email",
    "mask_name",
    "mask_phone",
    "needs_guardian",
    "outdated_keys",
    "read_fields",
    "record_consent",
    "rewrap",
    "write_fields",
    "write_many",
]
