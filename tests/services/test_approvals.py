"""Approvals whole: words lost and given again, nobody left, edited requests, and every way around two people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.support.attacker import owning
from tests.support.events import entries, types
from tests.support.prepared import copy_files, reopen
from tests.support.replay import check_replay
from vault.crypto import totp
from vault.domain.actor import Actor, ActorKind, Role, Scope, ScopeKind
from vault.domain.approving import told
from vault.domain.checkout import Checkout, CheckoutState, Decision
from vault.domain.ids import new_id
from vault.domain.policy import Permission
from vault.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, VaultError
from vault.services.approvals import Word
from vault.services.views import CheckoutView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import Human, World

NUMBER, OTHER = "111122223333", "222233334444"
ONE, TWO = "IAM_RESTORE", "ACCT_CLOSE"


@pytest.fixture
def one(prepared_sqlite: Path, tmp_path: Path) -> Iterator[World]:
    """Lend a world on SQLite, where the database decides nothing."""
    copy_files(prepared_sqlite, tmp_path / "vault")
    made = reopen(f"sqlite+pysqlite:///{tmp_path / 'vault' / 'vault.db'}", tmp_path / "vault")
    yield made
    made.close()


def people(world: World) -> tuple[Human, Human, Human, Human]:
    """Give who asks, two who approve, and an administrator; and an account in custody."""
    world.held(NUMBER)
    names = {"alice": Role.OPERATOR, "ada": Role.APPROVER, "bert": Role.APPROVER, "root": Role.ADMIN}
    alice, ada, bert, root = (world.human(name, role) for name, role in names.items())
    world.human("toor", Role.ADMIN)
    world.clock.advance(minutes=1)
    return alice, ada, bert, root


def say(
    world: World, who: Human, request: Checkout, decision: Decision = Decision.APPROVE, **more: Any
) -> Checkout:
    word = Word(decision, "seen the ticket", content_hash=request.content_hash, **more)
    return world.vault.approvals.decide(who.actor, request.id, word, who.otp())


def begin(world: World, who: Human, request: Checkout) -> Checkout:
    return world.vault.checkouts.step_up(who.actor, request.id, who.otp())[0]


def take_away(world: World, root: Human, who: Human) -> None:
    """Remove someone's roles."""
    with world.vault.units.read() as unit:
        grants = unit.people.grants(who.actor.id)
    for grant in grants:
        world.vault.people.remove_grant(root.actor, grant.id)


def seen(world: World, who: Human, request: Checkout) -> CheckoutView:
    return world.vault.views.checkout(who.actor, request.id)


def refused(code: str, act: Any, *arguments: Any) -> VaultError:
    with pytest.raises(VaultError) as caught:
        act(*arguments)
    assert caught.value.code == code, caught.value
    return caught.value


@pytest.mark.parametrize("how", ["role", "person"])
def test_an_approver_who_is_out_takes_their_word_along_and_another_can_give_one(
    world: World, how: str
) -> None:
    alice, ada, bert, root = people(world)
    request = world.ask(alice, NUMBER, ONE)
    assert say(world, ada, request).state is CheckoutState.APPROVED
    if how == "role":
        take_away(world, root, ada)
    else:
        world.vault.people.disable(root.actor, ada.actor.id)
    view = seen(world, alice, request)
    assert view.checkout.state is CheckoutState.PENDING_APPROVAL
    assert told(view.progress) == (
        "The word of ada does not count any more: who gave it may not approve now. "
        "Still needed: 1 approver. bert may decide."
    )
    assert [each.checkout.id for each in world.vault.queue.waiting(bert.actor).items] == [request.id]
    error = refused("approval.changed", begin, world, alice, request)
    assert "bert may decide" in error.detail
    assert seen(world, bert, request).may_approve
    assert say(world, bert, request).state is CheckoutState.APPROVED
    assert begin(world, alice, request).state is CheckoutState.ACTIVE
    story = [each for each in types(world, NUMBER, outcome="success") if each.startswith("checkout.")]
    assert story == [
        "checkout.requested",
        "checkout.approved",
        "checkout.reopened",
        "checkout.approved",
        "checkout.granted",
    ]
    reopened = entries(world, type="checkout.reopened")[0]
    assert reopened["detail"] == {"requester": alice.actor.id, "void": ada.actor.id}
    check_replay(world)


def test_a_word_that_is_lost_is_not_counted_towards_two(one: World) -> None:
    alice, ada, bert, root = people(one)
    cleo = one.human("cleo", Role.APPROVER)
    with owning(one) as connection:
        connection.execute(text("UPDATE account SET custody = 'closing'"))
    request = one.ask(alice, NUMBER, TWO)
    say(one, ada, request)
    take_away(one, root, ada)
    assert say(one, bert, request).state is CheckoutState.PENDING_APPROVAL
    assert [each.approver_name for each in seen(one, alice, request).progress.given] == ["bert"]
    assert say(one, cleo, request).state is CheckoutState.APPROVED


def test_whoever_shortened_and_left_still_shortened(one: World) -> None:
    alice, ada, bert, root = people(one)
    request = one.ask(alice, NUMBER, ONE)
    assert say(one, ada, request, seconds=600).granted_seconds == 600
    take_away(one, root, ada)
    assert say(one, bert, request).granted_seconds == 600


def test_a_request_that_waits_again_can_be_denied_and_lapses_with_its_time(one: World) -> None:
    alice, ada, bert, root = people(one)
    request = one.ask(alice, NUMBER, ONE)
    say(one, ada, request)
    take_away(one, root, ada)
    assert say(one, bert, request, Decision.DENY).state is CheckoutState.DENIED
    late = one.ask(alice, NUMBER, ONE)
    one.clock.advance(seconds=one.vault.policy.limits.decide_seconds - 60)
    say(one, bert, late)
    one.clock.advance(seconds=120)
    take_away(one, root, bert)
    assert seen(one, alice, late).checkout.state is CheckoutState.LAPSED
    one.human("dora", Role.APPROVER)
    assert one.ask(alice, NUMBER, ONE).state is CheckoutState.PENDING_APPROVAL
    assert types(one, NUMBER)[-3:] == ["checkout.reopened", "checkout.lapsed", "checkout.requested"]
    check_replay(one)


def test_the_worker_writes_down_what_was_lost(one: World) -> None:
    alice, ada, _, root = people(one)
    request = one.ask(alice, NUMBER, ONE)
    say(one, ada, request)
    assert one.vault.sweep.once().checkouts == 0
    take_away(one, root, ada)
    assert one.vault.sweep.once().checkouts == 1
    assert one.vault.sweep.once().checkouts == 0
    with one.vault.units.read() as unit:
        written = unit.checkouts.get(request.id)
    assert written is not None
    assert (written.state, written.use_by) == (CheckoutState.PENDING_APPROVAL, None)


def test_a_request_whose_approvers_are_gone_is_locked_and_says_what_to_do(one: World) -> None:
    alice, ada, bert, root = people(one)
    request = one.ask(alice, NUMBER, ONE)
    for gone in (ada, bert):
        take_away(one, root, gone)
    progress = seen(one, alice, request).progress
    assert progress.locked
    assert told(progress) == (
        "Locked: still needed: 1 approver, and nobody is left who may decide. "
        "Two administrators have to appoint somebody, or the request is withdrawn."
    )
    refused("approval.locked", one.ask, alice, _another(one), ONE)
    one.human("dora", Role.APPROVER)
    assert not seen(one, alice, request).progress.locked


def test_undecided_and_unused_end_by_themselves(one: World) -> None:
    alice, ada, _, _ = people(one)
    limits = one.vault.policy.limits
    assert (limits.decide_seconds, limits.use_seconds) == (8 * 3600, 30 * 60)
    request = one.ask(alice, NUMBER, ONE)
    one.clock.advance(seconds=limits.decide_seconds)
    assert seen(one, alice, request).checkout.state is CheckoutState.LAPSED
    refused("checkout.state", say, one, ada, request)
    again = one.ask(alice, NUMBER, ONE)
    one.clock.advance(seconds=limits.decide_seconds - 30)
    say(one, ada, again)
    one.clock.advance(seconds=limits.use_seconds - 60)
    assert seen(one, alice, again).checkout.state is CheckoutState.APPROVED
    one.clock.advance(seconds=60)
    refused("checkout.expired", begin, one, alice, again)


EDITS = {
    "account": f"account_id = '{OTHER}'",
    "reason": "reason = 'BILL_ROOT', approvals_needed = 0",
    "ticket": "ticket = 'T-2002'",
    "sentence": "justification = 'something else'",
    "time": "requested_seconds = 14400, granted_seconds = 14400",
    "glass": "break_glass = TRUE, approvals_needed = 0",
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_request_that_was_edited_in_the_database_opens_nothing(one: World, edit: str) -> None:
    alice, ada, bert, _ = people(one)
    one.held(OTHER)
    request = one.ask(alice, NUMBER, ONE)
    say(one, ada, request)
    _edit(one, request, EDITS[edit])
    refused("approval.changed", begin, one, alice, request)
    progress = seen(one, alice, request).progress
    assert (progress.intact, progress.given) == (False, ())
    assert "incident" in told(progress)
    _edit(one, request, "state = 'pending_approval'")
    with one.vault.units.read() as unit:
        edited = unit.checkouts.get(request.id)
    assert edited is not None
    refused("approval.changed", say, one, bert, edited)
    assert entries(one, type="checkout.granted") == []


def test_more_time_than_agreed_and_fewer_words_than_the_policy_asks_for_open_nothing(one: World) -> None:
    alice, ada, _, _ = people(one)
    request = one.ask(alice, NUMBER, ONE)
    _edit(one, request, f"state = 'approved', approvals_needed = 0, use_by = '{_soon(one)}'")
    refused("approval.changed", begin, one, alice, request)
    say(one, ada, request, seconds=600)
    _edit(one, request, "granted_seconds = 3600")
    refused("approval.changed", begin, one, alice, request)


def test_nothing_is_shown_under_a_running_lease_that_was_moved_to_another_account(one: World) -> None:
    alice, _, _, _ = people(one)
    one.held(OTHER)
    lease = one.lease(alice, NUMBER)
    _edit(one, lease, f"account_id = '{OTHER}'")
    refused("approval.changed", one.vault.reveals.password, alice.actor, lease.id)
    refused("approval.changed", begin, one, alice, lease)
    assert one.vault.checkouts.check_in(alice.actor, lease.id)[0].state is CheckoutState.CHECKED_IN


def test_a_word_is_for_what_was_looked_at_by_one_person_once(one: World) -> None:
    alice, ada, _, _ = people(one)
    first = one.ask(alice, NUMBER, ONE)
    another = one.ask(alice, _another(one), ONE)
    refused("approval.changed", say, one, ada, replace(first, content_hash=another.content_hash))
    refused("input.invalid", lambda: say(one, ada, first, seconds=first.requested_seconds + 1))
    assert say(one, ada, first).state is CheckoutState.APPROVED
    refused("approval.duplicate", say, one, ada, first)
    assert [each["outcome"] for each in entries(one, type="checkout.approved")] == ["success"]


def test_nobody_approves_for_themselves_by_whatever_door(one: World) -> None:
    people(one)
    both = _with_role(one, "both", Role.OPERATOR, Role.APPROVER)
    request = one.ask(both, NUMBER, ONE)
    second = replace(both, actor=replace(both.actor, origin=replace(both.actor.origin, session=new_id())))
    for self in (both, second):
        refused("policy.self_approval", say, one, self, request)
    machine = Actor(
        ActorKind.MACHINE, new_id(), "robot", permissions=frozenset(Permission), origin=both.actor.origin
    )
    refused("policy.denied", say, one, replace(both, actor=machine), request)
    assert one.vault.queue.waiting(both.actor).items == ()
    assert one.vault.queue.waiting(machine).items == ()


def test_a_scope_that_does_not_cover_the_account_any_more_approves_nothing(one: World) -> None:
    alice, ada, _, root = people(one)
    far = one.human("far", Role.APPROVER, Scope(ScopeKind.ACCOUNT, OTHER))
    request = one.ask(alice, NUMBER, ONE)
    with pytest.raises(NotFound):
        say(one, far, request)
    # as a request that came in before the role went: its powers are those of then
    take_away(one, root, ada)
    error = refused("policy.denied", say, one, ada, request)
    assert isinstance(error, Forbidden)
    assert entries(one, type="access.denied")[-1]["actor"]["id"] == ada.actor.id
    assert entries(one, type="checkout.approved") == []


def test_who_asked_begins_nothing_after_their_own_role_went(one: World) -> None:
    alice, ada, _, root = people(one)
    request = one.ask(alice, NUMBER, ONE)
    say(one, ada, request)
    with owning(
        one
    ) as connection:  # the role goes as it would a moment before this request's own transaction
        connection.execute(
            text("UPDATE role_grant SET removed_at = effective_at WHERE person_id = :p"),
            {"p": alice.actor.id},
        )
    assert root.actor.id
    refused("policy.denied", begin, one, alice, request)


def test_digits_that_only_look_like_digits_are_none(one: World) -> None:
    alice, ada, _, _ = people(one)
    request = one.ask(alice, NUMBER, ONE)
    code = totp.code_at(ada.seed, totp.step_of(one.clock.now())).expose()
    for base in (0xFF10, 0x0660, 0x1D7CE):
        alike = "".join(chr(base + int(digit)) for digit in code)
        with pytest.raises((Unauthenticated, Invalid)):
            one.vault.approvals.decide(ada.actor, request.id, Word(Decision.APPROVE), alike)
    with one.vault.units.read() as unit:
        assert unit.checkouts.approvals(request.id) == ()


def test_one_code_approves_one_request(one: World) -> None:
    alice, ada, _, _ = people(one)
    requests = [one.ask(alice, NUMBER, ONE), one.ask(alice, _another(one), ONE)]
    code = ada.otp()
    one.vault.approvals.decide(ada.actor, requests[0].id, Word(Decision.APPROVE), code)
    with pytest.raises(Conflict) as caught:
        one.vault.approvals.decide(ada.actor, requests[1].id, Word(Decision.APPROVE), code)
    assert caught.value.code == "otp.used"


def _another(world: World, number: str = OTHER) -> str:
    world.held(number)
    return number


def _soon(world: World) -> str:
    return world.clock.now().replace(hour=23).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def _edit(world: World, request: Checkout, change: str) -> None:
    with owning(world) as connection:
        connection.execute(text(f"UPDATE checkout SET {change} WHERE id = :id"), {"id": request.id})  # noqa: S608 - our own words


def _with_role(world: World, name: str, first: Role, *more: Role) -> Human:
    """Make a person with several roles."""
    human = world.human(name, first)
    for role in more:
        extra = world.human(f"{name}-{role}", role)
        with owning(world) as connection:
            connection.execute(
                text("UPDATE role_grant SET person_id = :to WHERE person_id = :of"),
                {"to": human.actor.id, "of": extra.actor.id},
            )
        human = replace(human, actor=replace(human.actor, powers=(*human.actor.powers, *extra.actor.powers)))
    world.people[name] = human
    return human
