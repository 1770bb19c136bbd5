"""The store's contract: people, grants, sessions, tokens and guesses, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from tests.support.builders import HOUR, NOW, grant, person, session, token
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.person import PersonState
from vault.errors import Conflict, VaultError
from vault.ports.records import Slice

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from vault.adapters.db import SqlUnits


def statements(engine: Engine) -> list[str]:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    return seen


def test_a_person_comes_back_equal_whatever_the_spelling(units: SqlUnits) -> None:
    invited = person(
        state=PersonState.INVITED,
        password_hash="$argon2id$",
        seed=b"\x00sealed",
        enrolment_hash="e1",
        enrolment_until=NOW + HOUR,
    )
    with units.write() as unit:
        unit.people.add(invited)
        assert unit.people.get(invited.id) == invited
        assert unit.people.by_email(invited.email.upper()) == invited
        assert unit.people.by_enrolment("e1") == invited
        assert unit.people.by_enrolment("e2") is None
        assert unit.people.by_email("nobody@msp.example") is None
        with pytest.raises(Conflict) as refused:
            unit.people.add(person(email=invited.email.swapcase()))
    assert refused.value.code == "person.exists"


def test_an_update_leaves_the_last_step_alone(units: SqlUnits) -> None:
    with units.write() as unit:
        made = person()
        unit.people.add(made)
        assert unit.people.claim_step(made.id, 5)
        unit.people.update(replace(made, state=PersonState.DISABLED, seed=b"new"))
        expected = replace(made, state=PersonState.DISABLED, seed=b"new", last_step=5)
        assert unit.people.get(made.id) == expected
        assert [unit.people.claim_step(made.id, step) for step in (5, 4, 6)] == [False, False, True]
        assert not unit.people.claim_step("nobody", 1)
        with pytest.raises(Conflict):
            unit.people.update(person())


def test_people_are_listed_by_email_in_pages(units: SqlUnits) -> None:
    with units.write() as unit:
        for name in ("b", "A", "d", "C", "e"):
            unit.people.add(person(email=f"{name}@msp.example"))
        first = unit.people.page(Slice(3))
        second = unit.people.page(Slice(3, first.next))
    assert [each.email[0] for each in first.items + second.items] == ["A", "b", "C", "d", "e"]
    assert second.next is None


def test_grants_are_proposed_confirmed_removed_and_never_otherwise_changed(units: SqlUnits) -> None:
    with units.write() as unit:
        made = person()
        unit.people.add(made)
        proposed = grant(
            made.id, scope=Scope(ScopeKind.ACCOUNT, "111122223333"), confirmed_by=None, effective_at=None
        )
        later = grant(made.id, Role.APPROVER, proposed_at=NOW + HOUR)
        unit.people.add_grant(later)
        unit.people.add_grant(proposed)
        assert unit.people.grants(made.id) == (proposed, later)
        done = replace(proposed, confirmed_by="ann", effective_at=NOW, removed_at=NOW + HOUR)
        unit.people.update_grant(replace(done, role=Role.ADMIN))
        assert unit.people.get_grant(proposed.id) == done
        assert unit.people.get_grant("nothing") is None
        with pytest.raises(VaultError) as refused:
            unit.people.db.change(text("UPDATE role_grant SET role = 'admin'"))
    assert refused.value.facts["rule"] == "role_grant_fixed"


def test_holders_are_active_people_with_power_now(units: SqlUnits) -> None:
    with units.write() as unit:
        olga, pat = person(), person()
        gone = person(state=PersonState.DISABLED)
        for each in (olga, pat, gone):
            unit.people.add(each)
        counting = grant(pat.id, Role.APPROVER)
        for power in (
            counting,
            grant(olga.id, Role.OPERATOR),
            grant(gone.id, Role.APPROVER),
            grant(olga.id, Role.APPROVER, effective_at=NOW + HOUR),
            grant(olga.id, Role.APPROVER, effective_at=None, confirmed_by=None),
            grant(olga.id, Role.APPROVER, removed_at=NOW),
        ):
            unit.people.add_grant(power)
        assert unit.people.holders(frozenset({Role.APPROVER}), NOW) == ((pat, counting),)
        assert len(unit.people.holders(frozenset({Role.APPROVER, Role.OPERATOR}), NOW + HOUR)) == 3
        assert unit.people.holders(frozenset(), NOW) == ()


def test_a_session_is_found_with_person_and_grants_in_one_query(units: SqlUnits) -> None:
    with units.write() as unit:
        olga = person()
        unit.people.add(olga)
        kept = session(olga.id)
        unit.sessions.add(kept)
        unit.commit()
    with units.read() as unit:
        assert unit.sessions.find(kept.token_hash) == (kept, olga, ())
    with units.write() as unit:
        first = grant(olga.id)
        second = grant(olga.id, Role.CSM, proposed_at=NOW + HOUR, scope=Scope(ScopeKind.CUSTOMER, "c1"))
        unit.people.add_grant(second)
        unit.people.add_grant(first)
        unit.commit()
    with units.read() as unit:
        seen = statements(units.engine)
        assert unit.sessions.find(kept.token_hash) == (kept, olga, (first, second))
        assert len(seen) == 1
        assert unit.sessions.find("unknown") is None


def test_sessions_end_and_stay_ended(units: SqlUnits) -> None:
    with units.write() as unit:
        olga, pat = person(), person()
        unit.people.add(olga)
        unit.people.add(pat)
        first, second = session(olga.id), session(olga.id, created_at=NOW + HOUR)
        other = session(pat.id)
        for each in (first, second, other):
            unit.sessions.add(each)
        assert unit.sessions.of(olga.id) == (second, first)
        unit.sessions.touch(first.id, NOW + HOUR)
        unit.sessions.touch(first.id, NOW)
        assert unit.sessions.of(olga.id)[1].seen_at == NOW + HOUR
        unit.sessions.end(first.id, NOW)
        assert unit.sessions.end_all(olga.id, NOW + HOUR) == 1
        assert unit.sessions.of(olga.id) == ()
        found = unit.sessions.find(first.token_hash)
        assert found is not None
        assert found[0].ended_at == NOW
        assert unit.sessions.of(pat.id) == (other,)


def test_tokens_of_people_and_machines_are_found_in_one_query(units: SqlUnits) -> None:
    with units.write() as unit:
        olga = person()
        unit.people.add(olga)
        power = grant(olga.id)
        unit.people.add_grant(power)
        hers, machine = (
            token(olga.id),
            token(None, scope=Scope(ScopeKind.CUSTOMER, "c1"), permissions=frozenset()),
        )
        unit.tokens.add(hers)
        unit.tokens.add(machine)
        seen = statements(units.engine)
        assert unit.tokens.find(hers.token_hash) == (hers, olga, (power,))
        assert unit.tokens.find(machine.token_hash) == (machine, None, ())
        assert len(seen) == 2
        assert unit.tokens.find("unknown") is None
        assert unit.tokens.get(machine.id) == machine


def test_a_token_is_revoked_once_and_nothing_else_of_it_changes(units: SqlUnits) -> None:
    with units.write() as unit:
        olga = person()
        unit.people.add(olga)
        first, second = token(olga.id), token(olga.id)
        unit.tokens.add(first)
        unit.tokens.add(second)
        unit.tokens.touch(first.id, NOW + HOUR, "192.0.2.8")
        unit.tokens.update(replace(first, revoked_at=NOW, permissions=frozenset({"root"})))
        unit.tokens.update(replace(first, revoked_at=NOW + HOUR))
        assert unit.tokens.get(first.id) == replace(
            first, used_at=NOW + HOUR, used_from="192.0.2.8", revoked_at=NOW
        )
        assert unit.tokens.revoke_all(olga.id, NOW + HOUR) == 1
        assert unit.tokens.get(second.id) == replace(second, revoked_at=NOW + HOUR)
        with pytest.raises(Conflict):
            unit.tokens.update(token(olga.id, revoked_at=NOW))


def test_tokens_are_listed_newest_first(units: SqlUnits) -> None:
    with units.write() as unit:
        olga = person()
        unit.people.add(olga)
        kept = [
            token(olga.id if number % 2 else None, created_at=NOW + timedelta(seconds=number))
            for number in range(5)
        ]
        for each in kept:
            unit.tokens.add(each)
        first = unit.tokens.page(None, Slice(2))
        second = unit.tokens.page(None, Slice(5, first.next))
        assert first.items + second.items == tuple(reversed(kept))
        assert unit.tokens.page(olga.id, Slice()).items == (kept[3], kept[1])


def test_failures_are_counted_and_forgotten_after_a_day(units: SqlUnits) -> None:
    day = timedelta(days=1)
    with units.write() as unit:
        assert unit.guesses.get("olga@net") is None
        assert unit.guesses.fail("olga@net", NOW).failures == 1
        assert unit.guesses.fail("olga@net", NOW + HOUR).failures == 2
        assert unit.guesses.fail("pat@net", NOW).failures == 1
        third = unit.guesses.fail("olga@net", NOW + HOUR + day - timedelta(microseconds=1))
        assert third.failures == 3
        assert unit.guesses.get("olga@net") == third
        assert unit.guesses.fail("olga@net", third.last_at + day).failures == 1
        unit.guesses.clear("olga@net")
        assert unit.guesses.get("olga@net") is None
        assert unit.guesses.get("pat@net") is not None
