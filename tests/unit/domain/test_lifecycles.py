"""Every lifecycle is its table: nothing happens that is not in it, and everything in it can be reached."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.domain.account import CUSTODY, Custody, CustodyEvent
from vault.domain.checkout import CHECKOUT, OPEN, CheckoutEvent, CheckoutState
from vault.domain.credential import PART, VERSION, PartEvent, PartState, VersionEvent, VersionLabel
from vault.domain.keyless import KEYLESS, KeylessEvent
from vault.domain.lifecycle import Lifecycle
from vault.domain.rotation import ROTATION, UNSETTLED, RotationEvent, RotationState

AnyLifecycle = Lifecycle[Any, Any]

TABLES: dict[str, tuple[AnyLifecycle, type[StrEnum]]] = {
    "account": (CUSTODY, CustodyEvent),
    "checkout": (CHECKOUT, CheckoutEvent),
    "part": (PART, PartEvent),
    "version": (VERSION, VersionEvent),
    "rotation": (ROTATION, RotationEvent),
    "keyless": (KEYLESS, KeylessEvent),
}
ELSEWHERE: dict[str, set[Custody]] = {"account": {Custody.CUSTOMER_HELD}}
"""States that are not reached from the start: custody of an ECAM member begins and stays there."""


@pytest.mark.parametrize("name", TABLES)
def test_every_state_can_be_reached(name: str) -> None:
    table, _ = TABLES[name]
    reached = {table.start}
    while more := {after for (state, _), after in table.transitions.items() if state in reached} - reached:
        reached |= more
    states = {state for state in type(table.start) if state not in ELSEWHERE.get(name, ())}
    assert states == reached


@pytest.mark.parametrize("name", TABLES)
def test_every_event_happens_somewhere(name: str) -> None:
    table, events = TABLES[name]
    assert set(events) == {event for _, event in table.transitions}


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
def test_a_walk_never_leaves_the_table(name: str, data: st.DataObject) -> None:
    table, events = TABLES[name]
    state = table.start
    for event in data.draw(st.lists(st.sampled_from(list(events)), max_size=30)):
        after = table.after(state, event)
        assert (after is not None) == table.allows(state, event)
        assert after is None or after == table.transitions[state, event]
        state = state if after is None else after


def test_what_ends_a_checkout_ends_it_for_good() -> None:
    assert CHECKOUT.final() == set(CheckoutState) - OPEN - {CheckoutState.REQUESTED}


def test_every_open_checkout_can_be_revoked() -> None:
    assert all(CHECKOUT.allows(state, CheckoutEvent.REVOKED) for state in OPEN)


def test_a_lease_begins_only_from_approval() -> None:
    begun = [state for (state, _), after in CHECKOUT.transitions.items() if after is CheckoutState.ACTIVE]
    assert begun == [CheckoutState.APPROVED]


def test_a_displayed_value_is_never_forgotten() -> None:
    """S1: no way leads from a shown value to rest without someone's word or the state unknown."""
    ways = {event for (state, event) in PART.transitions if state is PartState.ROTATING}
    assert PART.after(PartState.ROTATING, PartEvent.LEASE_ENDED) is PartState.UNKNOWN
    words = {PartEvent.ACCEPTED, PartEvent.REFUSED, PartEvent.REFUSED_FIRST, PartEvent.REFUSED_LOST}
    assert ways == words | {PartEvent.OUTCOME_UNKNOWN, PartEvent.LEASE_ENDED, PartEvent.SHRED}


def test_a_previous_version_dies_only_when_proven() -> None:
    ways = {event for (label, event) in VERSION.transitions if label is VersionLabel.PREVIOUS}
    assert ways == {VersionEvent.PROVEN_DEAD, VersionEvent.SHRED}


def test_an_unsettled_rotation_can_be_settled() -> None:
    for state in UNSETTLED:
        assert {after for (before, _), after in ROTATION.transitions.items() if before is state} - {state}
    assert RotationState.ACCEPTED not in UNSETTLED
