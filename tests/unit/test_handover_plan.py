"""The plan of a handover: what its order promises, whatever anybody adds to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault.domain.account import Kind
from vault.domain.case import MEMBERS, Step
from vault.domain.plans.handover import GATES, GO, LAST_ROLE, PLAN
from vault.domain.plans.release import RELEASE
from vault.domain.policy import Permission

NAMES = [each.name for each in PLAN.steps]


def before(name: str, among: frozenset[str] = frozenset(NAMES)) -> frozenset[str]:
    """Name everything that a step rests on, directly or not."""
    step = PLAN.step(name)
    assert step is not None, name
    near = {each for each in step.needs if not each.startswith(MEMBERS)} & among
    return frozenset(near).union(*(before(each, among) for each in near))


def test_names_are_told_apart_and_every_need_is_a_step() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for step in PLAN.steps:
        assert {each.removeprefix(MEMBERS) for each in step.needs} <= set(NAMES)
        assert step.name not in before(step.name)


@pytest.mark.parametrize("kind", [Kind.PAYER, Kind.MEMBER])
def test_nothing_irreversible_before_two_people_said_go(kind: Kind) -> None:
    skipped = {
        Kind.PAYER: {
            "email_start",
            "email_accept",
            "root_deleted",
            "recovery_allowed",
            "leave",
            "customer_in",
        },
        Kind.MEMBER: {"root_email", "root_mfa", "billing_access_payer", "payment_method_payer"},
    }[kind]
    mine = frozenset(NAMES) - skipped
    for step in PLAN.steps:
        if step.per_account and not step.reversible and step.name in mine:
            assert GO in before(step.name, mine), step.name
    go = PLAN.step(GO)
    assert go is not None
    assert (go.second, go.daily, MEMBERS + RELEASE in go.needs) == (Permission.CASE_AGREE, True, True)


def test_the_last_role_goes_after_all_that_works_through_it() -> None:
    through_it = {
        step.name for step in PLAN.steps if step.acts and step.name not in {LAST_ROLE, "email_start"}
    }
    assert through_it - before(LAST_ROLE) == set()


def test_every_gate_stands_before_something_irreversible() -> None:
    later = frozenset().union(*(before(step.name) for step in PLAN.steps if not step.reversible))
    assert set(GATES) <= later


def test_no_machine_says_anything() -> None:
    people = {Permission.HANDOVER_PREPARE, Permission.HANDOVER_CARRY_OUT}
    assert {step.by for step in PLAN.steps} == people


def test_the_rules_that_allow_no_exception_have_none() -> None:
    waivable: list[Step] = [step for step in PLAN.steps if step.waivable]
    assert not {step.rule for step in waivable} & {"H1", "H2", "H3", "H4", "H5", "H9", "C5"}


def test_the_guide_names_every_step() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "handover.md").read_text()
    missing = [name for name in NAMES if f"`{name}`" not in guide]
    assert missing == []
