"""What is kept about consent, and the errors of this room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

# The vault's field of a person's date of birth, as an ISO date: what tells whether a guardian has to consent.
BIRTH_DATE = "attribute:birth_date"


class ConsentState(StrEnum):
    """What the customer said last."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class ProofMethod(StrEnum):
    """How consent was given; what proves it is kept elsewhere, under the reference."""

    FORM = "form"
    DOUBLE_OPT_IN = "double_opt_in"
    WRITTEN = "written"
    SPOKEN = "spoken"
    IMPORT = "import"
    API = "api"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True)
class Proof:
    """How and where consent can be proved; ``reference`` is a code such as a form's or a document's, no free text."""

    method: ProofMethod
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One thing that a customer said: yes or no to a purpose by a channel, under a version of the notice.

    ``at`` is when it was said; ``by`` who recorded it (``customer``, ``system``, or the id of a member of staff);
    ``guardian`` the person who said it for a minor.
    """

    customer_id: UUID
    purpose: str
    channel: str
    state: ConsentState
    notice_version: str
    proof: Proof
    at: datetime
    by: str
    guardian: UUID | None = None


@dataclass(frozen=True)
class CurrentConsent:
    """What counts now for one purpose and channel; ``event_id`` orders what was said at the same moment."""

    purpose: str
    channel: str
    state: ConsentState
    notice_version: str
    at: datetime
    event_id: int


@dataclass(frozen=True)
class Rewrapped:
    """How far a rotation is: keys wrapped anew by this batch, and those that remain under an older master key."""

    done: int
    remaining: int
