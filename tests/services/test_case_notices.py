"""Notices of cases: whose turn it is hears of it, within their scope, and who said the first word does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cases import bench_of
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.event import EventType
from vault.ports.store import Slice

if TYPE_CHECKING:
    from tests.support.world import World

A, B = "111122223333", "222233334444"


def heard(world: World, name: str) -> dict[str, str]:
    """Give what somebody was told of cases: the page by the type of its entry."""
    world.vault.telling.once()
    page = world.vault.notices.inbox(world.people[name].actor, Slice(limit=50))
    return {each.event: each.path for each in page.items if each.event.startswith("case.")}


def test_whoever_is_next_is_told(quick_world: World) -> None:
    world = quick_world
    for number in (A, B):
        world.held(number)
    bench = bench_of(world)
    for name, role in (
        ("olga", Role.OPERATOR),
        ("otto", Role.OPERATOR),
        ("ada", Role.APPROVER),
        ("cleo", Role.CSM),
    ):
        world.human(name, role)
    world.human("far", Role.APPROVER, Scope(ScopeKind.ACCOUNT, B))
    assert bench.csm.name == "chris"
    world.vault.telling.once()
    case = bench.open(A)
    at = f"/cases/{case.id}"
    assert heard(world, "cleo") == {EventType.CASE_OPENED: at}
    assert heard(world, "chris") == {}
    bench.begin(case, A)
    olga, ada = world.people["olga"], world.people["ada"]
    bench.rooms.work.attest(olga.actor, case.id, "no_return", A, {"note": "all was looked at"}, olga.otp())
    assert heard(world, "ada") == {EventType.STEP_ASKED: at}
    assert heard(world, "far") == {}
    assert heard(world, "olga") == {}
    bench.rooms.work.disagree(ada.actor, case.id, "no_return", A, "one thing is missing, see the ticket")
    assert heard(world, "otto") == {EventType.STEP_FAILED: at}
    assert heard(world, "olga") == {EventType.STEP_FAILED: at}
