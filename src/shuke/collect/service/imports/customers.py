"""Files of customers: who they are, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from shuke import profiles
from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.base.progress import Progress, silent
from shuke.collect.rules.people import GENDERS, columns_of
from shuke.collect.rules.personal import is_personal_text
from shuke.collect.service.imports.ledger import Counts, Imported, Step, fingerprint, run_steps
from shuke.collect.service.imports.rows import Left, Listed, open_list
from shuke.collect.service.origins import NO_SOURCE
from shuke.collect.service.sources import find_files
from shuke.platform import Keyring, Transaction, Workplace

__all__ = ["import_customers"]

BATCH_ROWS = 1_000


def import_customers(  # noqa: PLR0913 - what a person may say about it; all but the files by keyword
    workplace: Workplace,
    files: Sequence[str],
    *,
    work_folder: Path,
    now: Callable[[], datetime],
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    rejects_folder: Path | None = None,
    language: Language = Language.ENGLISH,
    progress: Progress = silent,
) -> Imported:
    """Bring files of customers into the profiles: a row is one customer, whom all its identities name together.

    A column is an identity (phone, e-mail, member number …), an attribute (built in, or defined by the brand), or left
    alone. An empty cell says nothing. What is personal goes to the vault.

    Args:
        workplace: whose database; its transactions are opened here, one for each batch.
        files: CSV, XLSX or Parquet.
        work_folder: for intermediate files.
        now: the clock.
        mapping: identity kind or attribute → column name or number from 1, before anything that names suggest.
        dry_run: only count; nothing stays.
        rejects_folder: where rows and values that do not go in are written with their reasons.
        language: of the reasons.
        progress: told the share that is done.

    Raises:
        BadInput: ``collect.no_identity_column``, ``profiles.bad_kind``, and the codes of opening files.
    """
    given = dict(mapping or {})
    paths = find_files(files)
    left = Left()
    with workplace.database.read() as tx:
        definitions = profiles.attribute_definitions_of(tx)
    defined = set(definitions)
    with ExitStack() as stack:
        steps: list[Step] = []
        for path in paths:
            listed = stack.enter_context(open_list(path, work_folder=work_folder, wanted=list(given.values())))
            identities, attributes = columns_of(listed.columns, mapping=given, defined=defined)
            if not identities:
                raise BadInput("collect.no_identity_column", file=path.name, columns=", ".join(listed.columns))
            plain = frozenset(name for name in attributes if not definitions[name].personal)
            steps += _CustomerFile(listed, identities, attributes, plain, workplace.keyring, left, now).steps()
        counts, resumed = run_steps(
            workplace.database,
            kind="customers",
            source_id=NO_SOURCE,
            mark=fingerprint(paths, given, sorted(defined)),
            steps=steps,
            now=now,
            dry_run=dry_run,
            progress=progress,
        )
    rejects = left.write(rejects_folder, "customers", language)
    return Imported(counts=counts, resumed=resumed, rejected=dict(left.counts), rejects=rejects)


@dataclass(frozen=True)
class _CustomerFile:
    """One file, whose columns are understood; of its attributes, those in ``plain`` are not personal."""

    listed: Listed
    identities: Mapping[str, str]
    attributes: Mapping[str, str]
    plain: frozenset[str]
    keyring: Keyring
    left: Left
    now: Callable[[], datetime]

    def steps(self) -> list[Step]:
        """Its batches."""
        chosen = {f"i:{kind}": self.listed.text(column) for kind, column in self.identities.items()}
        chosen |= {f"a:{name}": self.listed.text(column) for name, column in self.attributes.items()}
        rows = self.listed.keep(chosen)
        return [partial(self._save, number) for number in range(-(-rows // BATCH_ROWS))]

    def _save(self, number: int, tx: Transaction) -> Counts:
        now = self.now()
        rows = self.listed.batch(number, BATCH_ROWS)
        ids = [[(kind, row[f"i:{kind}"]) for kind in self.identities if row[f"i:{kind}"]] for row in rows]
        found = profiles.resolve(tx, self.keyring, ids, now)
        said = [
            (one.customer_id, row["row"], attributes)
            for row, one in zip(rows, found, strict=True)
            if one is not None and (attributes := self._said(row))
        ]
        changes = [(customer, attributes) for customer, _, attributes in said]
        refused = profiles.set_attributes(tx, self.keyring, changes, now)
        # Noted when all is written, since a batch that loses against another is begun anew.
        for row, one in zip(rows, found, strict=True):
            if one is None:
                self.left.note(self.listed.opened.file.name, row["row"], "no_identity")
        for one_refused in refused:
            self.left.note(
                self.listed.opened.file.name, said[one_refused.index][1], "bad_attribute", one_refused.attribute
            )
        return {"customers.rows": sum(one is not None for one in found)}

    def _said(self, row: Mapping[str, Any]) -> dict[str, object]:
        said = {name: row[f"a:{name}"] for name in self.attributes if row[f"a:{name}"] is not None}
        for name in self.plain & said.keys():
            if is_personal_text(str(said[name])):
                del said[name]
                self.left.note(self.listed.opened.file.name, row["row"], "bad_attribute", name)
        if "gender" in said:
            said["gender"] = GENDERS.get(str(said["gender"]).strip().casefold(), said["gender"])
        if "birth_date" in said:
            said["birth_date"] = str(said["birth_date"]).replace("/", "-")[:10]
        return said
