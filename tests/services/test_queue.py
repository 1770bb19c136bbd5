"""The approvers' queue: what each is told, of what they may know, in a number of statements that does not grow."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from tests.support.events import entries
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.checkout import CheckoutState, Decision
from vault.domain.risk import Risk
from vault.errors import Invalid, NotFound
from vault.ports.store import Slice
from vault.services.approvals import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import Human, World
    from vault.domain.checkout import Checkout

NUMBER, OTHER, THIRD = "111122223333", "222233334444", "333344445555"
REASON = "IAM_RESTORE"


def furnish(world: World) -> tuple[Human, Human]:
    """Take accounts into custody; give two approvers of everything."""
    for number in (NUMBER, OTHER, THIRD):
        world.held(number)
    world.clock.advance(minutes=1)
    return world.human("ada", Role.APPROVER), world.human("bert", Role.APPROVER)


def counting(world: World) -> Iterator[list[str]]:
    """Give the statements that run from now on."""
    found: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        found.append(statement)

    engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units, as in every real world
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def statements(world: World, who: Human) -> int:
    counter = counting(world)
    found = next(counter)
    assert world.vault.queue.waiting(who.actor).items
    next(counter, None)
    return len(found)


def approve(world: World, who: Human, request: Checkout) -> None:
    world.vault.approvals.decide(who.actor, request.id, Word(Decision.APPROVE), who.otp())


def test_whoever_may_decide_is_told_who_asks_for_what_and_what_was_before(world: World) -> None:
    ada, _ = furnish(world)
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice, NUMBER, "CRED_ROTATE")
    world.vault.reveals.password(alice.actor, lease.id)
    shown_at = world.clock.now()
    world.vault.checkouts.check_in(alice.actor, lease.id)
    world.clock.advance(minutes=30)
    request = world.ask(alice, OTHER, REASON)
    [waiting] = world.vault.queue.waiting(ada.actor).items
    assert (waiting.checkout.id, waiting.account.id, waiting.customer.ddi) == (request.id, OTHER, "900001")
    assert waiting.mine
    assert [sign.risk for sign in waiting.signs] == [Risk.FIRST_TIME, Risk.TICKET_ELSEWHERE]
    assert waiting.of_account == ()
    [before] = waiting.of_person
    assert (before.checkout.id, before.checkout.state) == (lease.id, CheckoutState.CHECKED_IN)
    assert before.revealed_at == shown_at
    assert "Correct-Horse" not in repr(waiting)
    again = world.vault.queue.one(ada.actor, request.id)
    assert (again.signs, again.of_person) == (waiting.signs, waiting.of_person)


def test_habits_are_a_persons_own(world: World) -> None:
    ada, bert = furnish(world)
    alice = world.human("alice", Role.OPERATOR)
    for _ in range(11):
        world.clock.advance(days=1)
        request = world.ask(alice, NUMBER, REASON)
        world.vault.approvals.decide(ada.actor, request.id, Word(Decision.APPROVE), ada.otp())
        world.vault.checkouts.step_up(alice.actor, request.id, alice.otp())
        world.vault.checkouts.check_in(alice.actor, request.id)
    usual = world.ask(alice, NUMBER, REASON)
    assert _risks(world, bert) == set()
    world.vault.checkouts.cancel(alice.actor, usual.id)
    world.clock.advance(hours=14)
    odd = world.ask(alice, NUMBER, REASON)
    assert _risks(world, bert) == {Risk.ODD_HOUR}
    world.vault.approvals.decide(ada.actor, odd.id, Word(Decision.DENY, "not at night"), ada.otp())
    for _ in range(2):
        world.clock.advance(minutes=1)
        last = world.ask(alice, NUMBER, REASON)
        world.vault.checkouts.cancel(alice.actor, last.id)
    world.clock.advance(minutes=1)
    world.ask(alice, NUMBER, REASON)
    assert _risks(world, bert) == {Risk.ODD_HOUR, Risk.MANY_THIS_HOUR, Risk.DENIED_LATELY}


def test_nothing_out_of_sight_is_named(quick_world: World) -> None:
    world = quick_world
    ada, _ = furnish(world)
    near = world.human("near", Role.APPROVER, Scope(ScopeKind.ACCOUNT, NUMBER))
    alice = world.human("alice", Role.OPERATOR)
    hidden = world.ask(alice, OTHER, REASON)
    world.clock.advance(seconds=1)
    request = world.ask(alice, NUMBER, REASON)
    [waiting] = world.vault.queue.waiting(near.actor).items
    assert waiting.checkout.id == request.id
    assert waiting.of_person == ()
    assert Risk.TICKET_ELSEWHERE in {sign.risk for sign in waiting.signs}
    assert OTHER not in repr(waiting)
    with pytest.raises(NotFound):
        world.vault.queue.one(near.actor, hidden.id)
    assert [each.checkout.id for each in world.vault.queue.waiting(ada.actor).items] == [
        hidden.id,
        request.id,
    ]


def test_it_holds_what_waits_for_the_readers_own_word_alone(quick_world: World) -> None:
    world = quick_world
    ada, bert = furnish(world)
    alice = world.human("alice", Role.OPERATOR)
    request = world.ask(alice, NUMBER, REASON)
    world.ask(alice, OTHER, "BILL_ROOT")
    assert world.vault.queue.waiting(alice.actor).items == ()
    assert len(world.vault.queue.waiting(ada.actor).items) == 1
    approve(world, ada, request)
    assert world.vault.queue.waiting(bert.actor).items == ()
    late = world.ask(alice, THIRD, REASON)
    world.clock.at = late.decide_by
    assert world.vault.queue.waiting(bert.actor).items == ()
    with pytest.raises(Invalid):
        world.vault.queue.waiting(bert.actor, Slice(cursor="made-up"))


def test_pages_go_on_where_the_last_one_ended(quick_world: World) -> None:
    world = quick_world
    ada, _ = furnish(world)
    alice = world.human("alice", Role.OPERATOR)
    asked = []
    for number in (NUMBER, OTHER, THIRD):
        asked.append(world.ask(alice, number, REASON).id)
        world.clock.advance(seconds=1)
    first = world.vault.queue.waiting(ada.actor, Slice(2))
    rest = world.vault.queue.waiting(ada.actor, Slice(2, first.next))
    assert [each.checkout.id for each in (*first.items, *rest.items)] == asked
    assert rest.next is None


def test_ten_requests_cost_as_many_statements_as_one(world: World) -> None:
    ada, _ = furnish(world)
    world.ask(world.human("o0", Role.OPERATOR), NUMBER, REASON)
    before = statements(world, ada)
    for place in range(1, 10):
        number = f"4444555566{place:02}"
        world.held(number)
        world.clock.advance(seconds=1)
        world.ask(world.human(f"o{place % 4}", Role.OPERATOR), number, REASON)
    assert statements(world, ada) == before
    assert before <= 12


def test_reading_writes_nothing(quick_world: World) -> None:
    world = quick_world
    ada, _ = furnish(world)
    world.ask(world.human("alice", Role.OPERATOR), NUMBER, REASON)
    size = len(entries(world))
    world.clock.advance(seconds=timedelta(hours=9).total_seconds())
    assert world.vault.queue.waiting(ada.actor).items == ()
    assert len(entries(world)) == size


def _risks(world: World, who: Human) -> set[Risk]:
    [waiting] = world.vault.queue.waiting(who.actor).items
    return {sign.risk for sign in waiting.signs}
