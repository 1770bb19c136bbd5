"""Exclusive means exclusive (S4): the same moment, four processes, both databases, and the log still adds up (S3)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from tests.support.racing import Job, Track, course
from tests.support.replay import check_database
from vault.domain.account import Custody
from vault.domain.actor import Role
from vault.domain.credential import PartKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import ProcessPoolExecutor

    from tests.support.world import Human, World

AT_ONCE = 50


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_track(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, processes: ProcessPoolExecutor
) -> Iterator[Track]:
    """Prepare one vault of each kind, with operators, approvers and a custodian."""
    directory = tmp_path_factory.mktemp("track")
    with course(request, directory) as (world, url):
        for number in range(AT_ONCE):
            world.human(f"o{number}", Role.OPERATOR)
        for name in ("ada", "bert"):
            world.human(name, Role.APPROVER)
        world.human("carla", Role.CUSTODIAN)
        world.human("carl", Role.CUSTODIAN)
        yield Track(world, url, directory, processes)


@pytest.fixture
def track(module_track: Track) -> Iterator[Track]:
    """Lend the vault to one test, and hold the log against the database when it ends."""
    module_track.world.clock.advance(hours=2)  # what others began an hour ago counts towards nobody's limit
    yield module_track
    check_database(module_track.url)


def person(track: Track, name: str) -> Human:
    """Give one of the prepared people."""
    return track.world.people[name]


def fresh(track: Track) -> str:
    """Take another account into custody; give its number."""
    with track.world.vault.units.read() as unit:
        number = f"{100000000000 + unit.accounts.count()}"
    track.world.held(number)
    return number


def fresh_otp(track: Track, name: str) -> str:
    """Give a code of a person's device that was not used before."""
    track.world.clock.advance(seconds=30)
    return person(track, name).otp()


def leased(track: Track, number: str, name: str = "o0", reason: str = "CRED_ROTATE") -> str:
    """Give the id of a running lease."""
    track.world.clock.advance(seconds=30)
    return track.world.lease(person(track, name), number, reason).id


def last(world: World, number: str) -> list[str]:
    """List the types of an account's entries."""
    return [entry["type"] for entry in entries(world, account_id=number) if entry["outcome"] == "success"]


def test_of_fifty_who_ask_at_once_one_gets_it(track: Track) -> None:
    number = fresh(track)
    ends = track.race([Job(f"o{n}", "ask", (number, "BILL_ROOT")) for n in range(AT_ONCE)])
    assert Counter(ends) == {"ok": 1, "checkout.conflict": AT_ONCE - 1}
    asked = entries(track.world, account_id=number, type="checkout.requested")
    assert Counter(entry["outcome"] for entry in asked) == {"success": 1, "denied": AT_ONCE - 1}


def test_a_lapsed_claim_gives_way_to_exactly_one(track: Track) -> None:
    number = fresh(track)
    track.world.ask(person(track, "o0"), number)
    track.world.clock.advance(seconds=track.world.vault.policy.limits.use_seconds)
    ends = track.race([Job(f"o{n}", "ask", (number, "BILL_ROOT")) for n in range(12)])
    assert Counter(ends) == {"ok": 1, "checkout.conflict": 11}
    assert last(track.world, number).count("checkout.lapsed") == 1


def test_one_approver_counts_once_however_often_they_press(track: Track) -> None:
    number = fresh(track)
    request = track.world.ask(person(track, "o0"), number, "IAM_RESTORE")
    otp = fresh_otp(track, "ada")
    ends = track.race([Job("ada", "approve", (request.id, otp))] * 6)
    assert ends.count("ok") == 1
    assert set(ends) <= {"ok", "approval.duplicate", "checkout.state"}
    with track.world.vault.units.read() as unit:
        assert len(unit.checkouts.approvals(request.id)) == 1


def test_two_approvers_where_one_is_needed_leave_one_word(track: Track) -> None:
    number = fresh(track)
    request = track.world.ask(person(track, "o0"), number, "IAM_RESTORE")
    codes = {name: fresh_otp(track, name) for name in ("ada", "bert")}
    ends = track.race(
        [Job("ada", "approve", (request.id, codes["ada"])), Job("bert", "deny", (request.id, codes["bert"]))]
    )
    assert sorted(ends) == ["checkout.state", "ok"]
    with track.world.vault.units.read() as unit:
        assert len(unit.checkouts.approvals(request.id)) == 1


def test_one_code_of_a_device_counts_once_over_two_checkouts(track: Track) -> None:
    requests = [track.world.ask(person(track, "o0"), fresh(track)).id for _ in range(2)]
    otp = fresh_otp(track, "o0")
    ends = track.race([Job("o0", "step_up", (requests[n % 2], otp)) for n in range(8)])
    assert Counter(ends) == {"ok": 1, "otp.used": 7}


def test_no_time_steps_mfa_code_is_given_twice(track: Track) -> None:
    checkout = leased(track, fresh(track))
    ends = track.race([Job("o0", "code", (checkout,))] * 8)
    assert Counter(ends) == {"ok": 1, "otp.used": 7}


def test_the_quota_of_reveals_is_not_raced_past(track: Track) -> None:
    checkout = leased(track, fresh(track))
    ends = track.race([Job("o0", "password", (checkout,))] * 9)
    allowed = track.world.vault.policy.limits.reveals_per_checkout
    assert Counter(ends) == {"ok": allowed, "reveal.quota": 9 - allowed}


@pytest.mark.parametrize(("verb", "who"), [("check_in", "o0"), ("revoke", "ada")])
def test_nothing_is_released_after_the_lease_ended(track: Track, verb: str, who: str) -> None:
    number = fresh(track)
    checkout = leased(track, number)
    reveals = [Job("o0", "password", (checkout,))] * 3 + [Job("o0", "code", (checkout,))]
    ends = track.race([*reveals, Job(who, verb, (checkout,))])
    assert ends[-1] == "ok"
    assert set(ends[:-1]) <= {"ok", "checkout.state", "checkout.expired"}
    told = last(track.world, number)
    ending = next(
        place for place, each in enumerate(told) if each in {"checkout.returned", "checkout.revoked"}
    )
    assert "secret.reveal.released" not in told[ending:]
    assert told[:ending].count("secret.reveal.released") == ends[:-1].count("ok")


def test_beginning_and_withdrawing_at_once_leave_one_of_the_two(track: Track) -> None:
    number = fresh(track)
    request = track.world.ask(person(track, "o0"), number)
    otp = fresh_otp(track, "o0")
    ends = track.race([Job("o0", "step_up", (request.id, otp)), Job("o0", "cancel", (request.id,))])
    assert sorted(ends) == ["checkout.state", "ok"]


def test_of_rotations_planned_at_once_one_is_kept(track: Track) -> None:
    number = fresh(track)
    checkout = leased(track, number)
    ends = track.race([Job("o0", "plan", (checkout,))] * 4)
    assert ends.count("ok") == 1
    assert set(ends) <= {"ok", "rotation.conflict", "concurrent.change"}
    with track.world.vault.units.read() as unit:
        assert [version.number for version in unit.versions.of(number, PartKind.PASSWORD)] == [2, 1]


def test_a_plan_is_shown_or_dropped_never_both(track: Track) -> None:
    number = fresh(track)
    checkout = leased(track, number)
    rotation = track.world.vault.rotations.plan(person(track, "o0").actor, checkout, PartKind.PASSWORD)
    ends = track.race([Job("o0", "display", (rotation.id,)), Job("o0", "abandon", (rotation.id,))])
    assert sorted(ends) == ["ok", "rotation.state"]


def test_of_two_words_about_one_outcome_one_counts(track: Track) -> None:
    number = fresh(track)
    checkout = leased(track, number)
    vault, alice = track.world.vault, person(track, "o0")
    rotation = vault.rotations.plan(alice.actor, checkout, PartKind.PASSWORD)
    vault.rotations.display(alice.actor, rotation.id)
    words = ("accepted", "refused", "accepted", "refused")
    ends = track.race([Job("o0", "attest", (rotation.id, word)) for word in words])
    assert Counter(ends) == {"ok": 1, "rotation.state": 3}


def test_what_was_displayed_is_settled_or_unknown_when_the_lease_is_revoked(track: Track) -> None:
    number = fresh(track)
    checkout = leased(track, number)
    vault, alice = track.world.vault, person(track, "o0")
    rotation = vault.rotations.plan(alice.actor, checkout, PartKind.PASSWORD)
    vault.rotations.display(alice.actor, rotation.id)
    ends = track.race([Job("o0", "attest", (rotation.id, "accepted")), Job("ada", "revoke", (checkout,))])
    # whoever comes first: the one who displayed it may still say so afterwards
    assert ends == ["ok", "ok"]


def test_values_are_taken_in_once(track: Track) -> None:
    number = "999988887777" if track.url.startswith("sqlite") else "999988887776"
    track.world.account(number)
    codes = {name: fresh_otp(track, name) for name in ("carla", "carl")}
    email = f"root+{number}@msp.example"
    ends = track.race([Job(name, "take_in", (number, email, codes[name])) for name in ("carla", "carl")])
    assert sorted(ends) == ["custody.state", "ok"]
    with track.world.vault.units.read() as unit:
        account = unit.accounts.get(number)
        assert account is not None
        assert account.custody is Custody.HELD
        assert len(unit.versions.of(number, PartKind.PASSWORD)) == 1


def test_a_rotation_is_verified_once(track: Track) -> None:
    number = fresh(track)
    checkout = leased(track, number)
    vault, alice = track.world.vault, person(track, "o0")
    rotation = vault.rotations.plan(alice.actor, checkout, PartKind.PASSWORD)
    vault.rotations.display(alice.actor, rotation.id)
    track.race([Job("o0", "attest", (rotation.id, "accepted"))])
    ends = track.race([Job(f"o{n}", "verify", (rotation.id,)) for n in range(1, 5)])
    assert Counter(ends) == {"ok": 1, "rotation.state": 3}


def test_asking_for_different_accounts_at_once_hurts_nobody(track: Track) -> None:
    """Nobody waits for another account's row, and the log has one order."""
    numbers = [fresh(track) for _ in range(8)]
    ends = track.race([Job(f"o{n}", "ask", (number, "BILL_ROOT")) for n, number in enumerate(numbers)])
    assert ends == ["ok"] * 8
