"""The store of recovery recipients, on both databases: whom sealed values name, asked in one statement."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.builders import NOW, NUMBER, stand, version
from vault.crypto import recovery
from vault.crypto.context import Context
from vault.crypto.envelope import encode_wraps
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.recipient import Recipient
from vault.domain.secret import Secret
from vault.errors import Conflict, VaultError
from vault.ports.keys import Wrap

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits

SECOND: Final = "222233334444"
MADE: Final = recovery.new_recipient().recipient
OTHER: Final = recovery.new_recipient().recipient


def test_the_newest_that_began_and_was_not_ended_is_the_latest(units: SqlUnits) -> None:
    first = Recipient(1, MADE, NOW)
    later = Recipient(2, OTHER, NOW + timedelta(days=1))
    with units.write() as unit:
        assert (unit.recipients.latest(NOW), unit.recipients.next_number()) == (None, 1)
        unit.recipients.add(first)
        unit.recipients.add(later)
        assert unit.recipients.latest(NOW - timedelta(seconds=1)) is None
        assert unit.recipients.latest(NOW) == (1, MADE)
        assert unit.recipients.held(NOW) == (later,)
        assert unit.recipients.latest(later.effective_at) == (2, OTHER)
        unit.recipients.end(replace(later, ended_at=NOW))
        assert unit.recipients.latest(later.effective_at) == (1, MADE)
        assert (unit.recipients.held(NOW), unit.recipients.next_number()) == ((), 3)
        with pytest.raises(Conflict) as refused:
            unit.recipients.end(Recipient(9, MADE, NOW))
        assert refused.value.code == "concurrent.change"
        unit.recipients.add(Recipient(3, "", NOW + timedelta(days=2)))
        assert unit.recipients.latest(NOW + timedelta(days=2)) == (3, "")
        assert unit.recipients.by_proposal("none such") is None


@pytest.mark.parametrize("again", [Recipient(1, OTHER, NOW), Recipient(2, "ssh-rsa", NOW)])
def test_the_database_refuses_a_second_of_a_number_and_what_is_no_recipient(
    units: SqlUnits, again: Recipient
) -> None:
    with units.write() as unit:
        unit.recipients.add(Recipient(1, MADE, NOW))
        with pytest.raises(VaultError):
            unit.recipients.add(again)


def test_an_account_counts_when_every_current_version_names_the_recipient(units: SqlUnits) -> None:
    context = Context("6f1f4a6e-59a1-4b5c-9a55-0d6a2f5c1e11", NUMBER, "password", 1).pairs()
    mine = encode_wraps((Wrap("local", "k", b"\x00"), recovery.wrap_for(MADE, Secret(b"k" * 32), context)))
    theirs = encode_wraps((recovery.wrap_for(OTHER, Secret(b"k" * 32), context),))
    # somebody who names a key after a recipient has not wrapped for it
    lure = encode_wraps((Wrap("local", MADE, b"\x00"),))
    current: Any = {"label": VersionLabel.CURRENT, "current_since": NOW}
    with units.write() as unit:
        stand(unit)
        stand(unit, SECOND)
        unit.versions.add(version(wraps=mine, **current))
        unit.versions.add(version(number=2, wraps=theirs, label=VersionLabel.RETIRED))
        unit.versions.add(version(SECOND, wraps=mine, **current))
        unit.versions.add(version(SECOND, PartKind.MFA, wraps=lure, **current))
        assert unit.recipients.wrapped(MADE) == {NUMBER}
        assert unit.recipients.wrapped(OTHER) == frozenset()
        assert unit.recipients.counts(MADE) == (4, 2)
        assert unit.recipients.counts(OTHER) == (4, 1)
