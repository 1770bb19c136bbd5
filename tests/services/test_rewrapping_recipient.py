"""Re-wrapping for the recovery recipient, whose wraps nothing that runs here can open (S6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.services.test_rewrapping import VALUES, vault
from tests.support.events import entries
from tests.support.key_work import NEW, OLD, Changing
from vault.crypto.envelope import Envelope, decode_wraps, open_envelope
from vault.crypto.recovery import SERVICE, join, new_recipient, open_wrap
from vault.errors import Conflict
from vault.ports.keys import Wrap
from vault.services.recipient_book import FixedRecipient
from vault.services.sealed_values import of_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.secret import Secret

__all__ = ["vault"]  # the fixture, found here by its name


def test_a_wrap_planted_for_the_recipient_is_made_anew_and_costs_no_call(vault: Changing) -> None:
    """Nothing here can open it, so one that is there is not believed: else three shares would open nothing one day."""
    made = new_recipient()
    identity = join(made.shares[:3])
    planted = vault.versions()[1]
    vault.store(planted, (*decode_wraps(planted.wraps), Wrap(SERVICE, made.recipient, b"nonsense")))
    proposal = vault.agreed(keys=OLD, remove_old=False)
    run = replace(vault.rewrapping(vault.keys(*NEW)), recipient=FixedRecipient(made.recipient))
    report = run.run(proposal.id)
    assert (report.complete, report.made, report.proven) == (True, VALUES - 1, 1)
    assert report.calls == {"Decrypt": 2 * VALUES}
    with vault.world.vault.units.read() as unit:
        vault_id = unit.vault_id
    for version in vault.versions():
        wraps, place = decode_wraps(version.wraps), of_version(vault_id, version).place
        envelope = Envelope(version.body, wraps)
        open_envelope(envelope, place, open_wrap(identity, wraps, place.pairs()))


def test_two_runs_at_once_come_to_an_end_with_a_recipient_too(vault: Changing) -> None:
    named = FixedRecipient(new_recipient().recipient)
    proposal = vault.agreed()
    passes: list[int] = []

    def progress(_what: str, _done: int, _total: int) -> None:
        if not passes:
            passes.append(0)
            passes[0] = replace(vault.rewrapping(), recipient=named).run(proposal.id).passes

    report = replace(vault.rewrapping(), recipient=named).run(proposal.id, progress=progress)
    assert report.complete
    assert max(report.passes, *passes) <= 3
    assert vault.wraps() == [(*OLD, *NEW, named.named)] * VALUES


def test_a_recipient_that_comes_into_force_meanwhile_loses_no_wraps(vault: Changing) -> None:
    """Its wraps would be old ones to a run that began before it."""
    changing_ = Replaced(new_recipient().recipient, new_recipient().recipient)
    proposal = vault.agreed()
    with pytest.raises(Conflict) as refused:
        replace(vault.rewrapping(), recipient=changing_).run(proposal.id, remove_old=True)
    assert refused.value.code == "concurrent.change"
    assert all(set(OLD) <= set(each) for each in vault.wraps())
    (finished,) = entries(vault.world, type="keys.rewrap.finished")
    assert (finished["outcome"], finished["detail"]["complete"]) == ("failed", False)


class Replaced:
    """A recipient in whose place another one comes once it was asked for."""

    def __init__(self, *names: str) -> None:
        self._names = list(names)

    @property
    def recipient(self) -> str:
        """Give the first, and from then on the last."""
        return self._names.pop(0) if len(self._names) > 1 else self._names[0]

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> tuple[Wrap, ...]:
        """Wrap for the last."""
        return FixedRecipient(self._names[-1]).wrap(key, context)
