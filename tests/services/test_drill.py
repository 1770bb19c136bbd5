"""The drill: every credential opens under each of its keys, in its place, as the log names it, and none is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from tests.support.key_work import NEW, NUMBERS, OLD, Changing, changing
from tests.support.replay import check_replay
from tests.support.world import with_keys
from vault.crypto.envelope import decode_wraps
from vault.crypto.recovery import new_recipient
from vault.crypto.totp import Seed
from vault.domain.actor import Role
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.proposal import ProposalState
from vault.errors import Conflict, KeyCall, KeysUnavailable
from vault.ports.keys import Wrap
from vault.services.drill import Opener
from vault.services.key_work import DrillScope
from vault.services.recipient_book import FixedRecipient
from vault.services.sealed_values import of_version
from vault.services.wrapping import Wrapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vault.domain.credential import Version
    from vault.domain.secret import Secret
    from vault.ports.keys import NamedKey, Unwrapped, Wrapped
    from vault.services.drill import DrillReport, Looked

VALUES = 2 * len(NUMBERS)


@pytest.fixture
def vault(sqlite_url: str, tmp_path: Path) -> Iterator[Changing]:
    """Hold two accounts under old keys; the log has to lead to what is in the database afterwards."""
    made = changing(sqlite_url, tmp_path)
    yield made
    check_replay(made.world)
    made.world.close()


@pytest.fixture
def both(database_url: str, tmp_path: Path) -> Iterator[Changing]:
    """Hold them on each kind of database."""
    made = changing(database_url, tmp_path)
    yield made
    check_replay(made.world)
    made.world.close()


def run(vault: Changing) -> DrillReport:
    """Let two people agree, and drill under the settings that are in force."""
    return vault.drill(vault.keys(*NEW)).run(vault.agreed_drill().id)


def test_every_version_opens_under_each_key_and_the_row_says_when(both: Changing) -> None:
    report = run(both)
    assert (report.versions, report.accounts, report.opened, report.failed) == (VALUES, 2, VALUES, 0)
    assert report.finished
    assert report.keys == dict.fromkeys(OLD, VALUES)
    assert report.calls == {"Decrypt": 2 * VALUES}
    now = both.world.clock.now()
    assert {(each.drilled_at, each.drill_fault) for each in both.versions()} == {(now, "")}
    opened = entries(both.world, type="drill.opened")
    assert [len(each["kms"]) for each in opened] == [2] * VALUES
    assert {call["purpose"] for each in opened for call in each["kms"]} == {"drill"}
    assert sorted({each["account"]["id"] for each in opened}) == sorted(NUMBERS)


def test_beginning_and_end_tell_who_agreed_why_and_what_came_of_it(vault: Changing) -> None:
    proposal = vault.agreed_drill()
    vault.drill(vault.keys(*NEW)).run(proposal.id)
    (begun,), (finished,) = (entries(vault.world, type=f"drill.{name}") for name in ("begun", "finished"))
    assert begun["detail"]["why"] == proposal.why
    assert begun["detail"]["confirmed_by"] == proposal.confirmed_by
    assert (finished["outcome"], finished["detail"]["opened"]) == ("success", VALUES)
    with vault.world.vault.units.read() as unit:
        ended = unit.proposals.get(proposal.id)
    assert ended is not None
    assert ended.state(vault.world.clock.now()) is ProposalState.ENDED
    with pytest.raises(Conflict):
        vault.drill(vault.keys(*NEW)).run(proposal.id)


def test_every_label_is_drilled(vault: Changing) -> None:
    world = vault.world
    olga = world.human("olga", Role.OPERATOR)
    lease = world.lease(olga, NUMBERS[0], "CRED_ROTATE")
    world.vault.rotations.plan(olga.actor, lease.id, PartKind.PASSWORD)
    assert {each.label for each in vault.versions()} == {VersionLabel.CURRENT, VersionLabel.STAGED}
    assert run(vault).opened == VALUES + 1


@pytest.mark.parametrize("first", [0, 1])
def test_a_wrap_that_does_not_open_is_a_fault_however_well_another_one_does(
    vault: Changing, first: int
) -> None:
    version, other = vault.versions()[0], vault.versions()[1]
    wraps = list(decode_wraps(version.wraps))
    wraps[first] = decode_wraps(other.wraps)[first]
    vault.store(version, tuple(wraps))
    report = run(vault)
    assert (report.opened, report.failed, report.finished) == (VALUES - 1, 1, True)
    assert report.codes == {"envelope.tampered": 1}
    ((account, kind, number, (fault,), _),) = report.faults
    assert (account, kind, number) == (version.account_id, version.kind, version.number)
    assert fault.key == OLD[first]
    kept = vault.versions()[0]
    assert (kept.drilled_at, kept.drill_fault) == (None, "envelope.tampered")
    assert entries(vault.world, type="drill.finished")[0]["outcome"] == "failed"
    (told,) = [each for each in entries(vault.world, type="drill.opened") if each["outcome"] == "failed"]
    assert told["detail"]["faults"] == f"envelope.tampered {OLD[first]}"
    vault.store(kept, version.wraps)
    assert run(vault).failed == 0
    assert vault.versions()[0].drill_fault == ""


def test_what_a_version_lacks_and_what_nobody_can_open_are_faults(vault: Changing) -> None:
    first, second = vault.versions()[:2]
    vault.store(first, decode_wraps(first.wraps)[:1])
    vault.store(second, (*decode_wraps(second.wraps), Wrap("aws-kms", "arn:another", b"x")))
    report = run(vault)
    assert report.codes == {"drill.wrap_missing": 1, "keys.unknown": 1}
    assert [each.faults[0].key for each in report.faults] == ["local-2", "arn:another"]


def test_after_a_change_of_settings_every_old_version_lacks_the_new_wraps(vault: Changing) -> None:
    report = vault.drill(vault.after).run(vault.agreed_drill().id)
    assert report.codes == {"drill.wrap_missing": 2 * VALUES}
    assert report.keys == dict.fromkeys(OLD, VALUES)


def test_wraps_for_the_recipient_are_counted_and_missed(vault: Changing) -> None:
    recipient = new_recipient().recipient
    drill = replace(vault.drill(vault.keys(*NEW)), recipient=FixedRecipient(recipient))
    report = drill.run(vault.agreed_drill().id)
    assert report.codes == {"drill.wrap_missing": VALUES}
    wrapped = replace(vault.rewrapping(vault.keys(*NEW)), recipient=FixedRecipient(recipient))
    wrapped.run(vault.agreed(keys=OLD).id)
    report = drill.run(vault.agreed_drill().id)
    assert (report.failed, report.offline, report.opened) == (0, VALUES, VALUES)


def test_the_log_says_which_one_is_current(vault: Changing) -> None:
    """Two seeds whose rows were swapped open as well as before; the log alone knows better."""
    version = next(each for each in vault.versions() if each.kind is PartKind.PASSWORD)
    opener = vault.drill(vault.keys(*NEW)).opener()
    with vault.world.vault.units.read() as unit:
        value = of_version(unit.vault_id, version)
        promoted = unit.log.promotion(version.account_id, version.kind)
    assert promoted is not None
    assert opener.look(value, promoted).faults == ()
    for told in (None, replace(promoted, version=9), replace(promoted, sha256="0" * 64)):
        assert [each.code for each in opener.look(value, told).faults] == ["envelope.not_current"]


@pytest.mark.parametrize("change", ["body", "place", "kind", "hash", "wraps"])
def test_what_is_not_as_it_was_sealed_does_not_pass(vault: Changing, change: str) -> None:
    seed, password = vault.versions()[:2]
    assert (seed.kind, password.kind) == (PartKind.MFA, PartKind.PASSWORD)
    swapped: dict[str, Version] = {
        "body": replace(password, body=password.body[:-1] + bytes((password.body[-1] ^ 1,))),
        "place": replace(password, account_id="333344445555"),
        "kind": replace(seed, kind=PartKind.PASSWORD),
        "hash": replace(password, sha256="0" * 64),
        "wraps": replace(password, wraps=b"[]"),
    }
    looked = look(vault, replace(swapped[change], label=VersionLabel.PREVIOUS))
    assert {each.code for each in looked.faults} == {"envelope.tampered"}


def test_a_seed_that_is_none_does_not_pass(vault: Changing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.services.custody.totp.parse_seed", Seed)
    vault.world.held("333344445555", seed="not a seed")
    monkeypatch.undo()
    report = run(vault)
    assert report.codes == {"seed.invalid": 2}
    assert [each[:2] for each in report.faults] == [("333344445555", "mfa")]


def test_nothing_that_was_opened_is_in_the_report_or_the_log(vault: Changing) -> None:
    report = run(vault)
    told = repr(report) + repr(entries(vault.world))
    for value in vault.opened(vault.keys(*NEW)):
        assert value not in told


def test_a_key_service_that_is_down_ends_the_drill_and_blames_no_version(
    vault: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.services.wrapping.PIECE", 2)
    proposal = vault.agreed_drill()
    down = AllDown(tuple(Down(key) for key in vault.keys(*NEW).sealing))
    report = vault.drill(down).run(proposal.id)
    assert (report.finished, report.versions, report.failed) == (False, 2, 2)
    assert {(each.drilled_at, each.drill_fault) for each in vault.versions()} == {(None, "")}
    (finished,) = entries(vault.world, type="drill.finished")
    assert (finished["outcome"], finished["detail"]["finished"]) == ("failed", False)
    assert vault.drill(vault.keys(*NEW)).run(proposal.id).finished


def test_a_drill_of_another_scope_is_refused(vault: Changing) -> None:
    with pytest.raises(Conflict, match="another kind"):
        vault.drill(vault.keys(*NEW)).run(vault.agreed_drill(DrillScope.RESTORE).id)
    with pytest.raises(Conflict):
        vault.drill().require(vault.agreed_drill().id, DrillScope.RESTORE)


def test_drills_go_on_while_another_key_service_is_what_seals(vault: Changing) -> None:
    """What was sealed under the new keys alone opens under the settings that still know both."""
    later = with_keys(vault.world, vault.after)
    later.held("333344445555")
    both = vault.keys()
    report = vault.drill(both).run(vault.agreed_drill().id)
    assert report.codes == {"drill.wrap_missing": 2 * VALUES + 4}
    assert report.keys == dict.fromkeys(OLD, VALUES) | dict.fromkeys(NEW, 2)


def look(vault: Changing, version: Version) -> Looked:
    """Open one version by the keys in force."""
    with vault.world.vault.units.read() as unit:
        value = of_version(unit.vault_id, version)
    return Opener(Wrapping(vault.keys(*NEW), FixedRecipient())).look(value, None)


@dataclass(frozen=True)
class AllDown:
    """Keys of which none answers."""

    sealing: tuple[NamedKey, ...]
    retiring: tuple[NamedKey, ...] = ()


class Down:
    """A key that answers nobody."""

    def __init__(self, key: NamedKey) -> None:
        self.service, self.key_id = key.service, key.key_id

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Fail."""
        raise self._down("Encrypt")

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Fail."""
        raise self._down("Decrypt")

    def _down(self, operation: str) -> KeysUnavailable:
        call = KeyCall(operation, self.key_id, "", "keys.unavailable")
        return KeysUnavailable("keys.unavailable", "It does not answer.", calls=(call,))
