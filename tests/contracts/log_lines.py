"""What the suites of the store's log have in common: writing, finding, and a forgery by the database's owner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.builders import NOW, actor
from vault.domain.actor import Reach
from vault.domain.event import Event, EventType
from vault.ports.records import EntryFilter, Slice

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits
    from vault.ports.records import Receipt

ALL = Reach(everything=True)
MAC = "m" * 64


FORGERY = """
WITH planted AS (
  SELECT seq, convert_to(replace(convert_from(leaf, 'UTF8'), '"version"' || chr(58) || '1',
    '"version"' || chr(58) || '2'), 'UTF8') AS leaf
  FROM audit_entry WHERE seq = 1)
UPDATE audit_entry SET leaf = planted.leaf, nodes = sha256(decode('00', 'hex') || planted.leaf) || substr(nodes, 33)
FROM planted WHERE audit_entry.seq = planted.seq AND audit_entry.leaf <> planted.leaf
"""


def write(units: SqlUnits, *events: Event) -> list[Receipt]:
    with units.write() as unit:
        receipts = [unit.log.record(each, NOW) for each in events]
        unit.commit()
    return receipts


def noted(**facts: object) -> Event:
    return replace(Event(EventType.AUDIT_VIEWED, actor()), **facts)  # type: ignore[arg-type]  # fields by name


def found(units: SqlUnits, wanted: EntryFilter, reach: Reach = ALL) -> list[int]:
    with units.read() as unit:
        return [entry.index for entry in unit.log.page(wanted, reach, Slice()).items]
