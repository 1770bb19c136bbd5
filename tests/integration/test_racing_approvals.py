"""Two at the same moment about one request (S4, S17, S20): 200 meetings on each database, and what holds after each.

Each row of `PAIRS` is two people's acts that meet in two processes, once for each seed, which says who is late by how
much. Afterwards the log is asked: one outcome, no lease without a word that counted when it began, and one claim.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.events import entries
from tests.support.racing import Job, Leg, Track, course
from tests.support.replay import check_database
from vault.crypto import totp
from vault.domain.actor import Role
from vault.domain.checkout import Checkout, CheckoutState, Decision
from vault.services.approvals import Word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import ProcessPoolExecutor

    from tests.support.world import World

SEEDS: Final = 16
NUMBER: Final = "111122223333"
REASON: Final = "IAM_RESTORE"
STATES: Final = {
    "checkout.requested": CheckoutState.PENDING_APPROVAL,
    "checkout.approved": CheckoutState.APPROVED,
    "checkout.reopened": CheckoutState.PENDING_APPROVAL,
    "checkout.granted": CheckoutState.ACTIVE,
    "checkout.rejected": CheckoutState.DENIED,
    "checkout.cancelled": CheckoutState.CANCELLED,
    "checkout.lapsed": CheckoutState.LAPSED,
    "checkout.revoked": CheckoutState.REVOKED,
}
ENDINGS: Final = ("checkout.rejected", "checkout.cancelled", "checkout.lapsed", "checkout.revoked")
WORDS: Final = ("checkout.approved", "checkout.granted")
STEP: Final = timedelta(seconds=totp.PERIOD)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def track(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, processes: ProcessPoolExecutor
) -> Iterator[Track]:
    """Prepare one vault of each kind with accounts and people; the log has to lead to what is in it at the end."""
    directory = tmp_path_factory.mktemp("meetings")
    with course(request, directory) as (world, url):
        for name, role in (
            ("ada", Role.APPROVER), ("bert", Role.APPROVER), ("root", Role.ADMIN), ("toor", Role.ADMIN),
        ):  # fmt: skip
            world.human(name, role)
        for seed in range(SEEDS):
            world.held(_account(seed))
            world.human(f"o{seed}", Role.OPERATOR)
        yield Track(world, url, directory, processes)
        check_database(url)


@dataclass(slots=True)
class Case:
    """One meeting: a request, who asked for it, and codes that are good when it takes place."""

    world: World
    seed: int
    at: datetime
    request: Checkout
    operator: str
    by: str

    def code(self, name: str) -> str:
        """Give the code of someone's device at the time of the meeting."""
        return totp.code_at(self.world.people[name].seed, totp.step_of(self.at)).expose()

    def job(self, who: str, verb: str, *more: str) -> Job:
        """Give an act on the request."""
        return Job(who, verb, (self.request.id, *more))

    def approve(self, who: str) -> Job:
        """Give someone's yes."""
        return self.job(who, "approve", self.code(who))

    def begin(self) -> Job:
        """Give the first step-up."""
        return self.job(self.operator, "step_up", self.code(self.operator))

    def grant(self, name: str) -> str:
        """Find somebody's one grant."""
        with self.world.vault.units.read() as unit:
            return unit.people.grants(self.world.people[name].actor.id)[0].id


@dataclass(frozen=True, slots=True)
class Pair:
    """Two acts that meet: on a request that was `approved` or waits; `ends` are the outcomes that may be."""

    first: Callable[[Case], Job]
    second: Callable[[Case], Job]
    ends: frozenset[tuple[str, str]]
    approved: bool = False
    late: bool = False
    """The second act takes place as the time to decide, or to begin, is over."""


def either(one: str, other: str | None = None) -> frozenset[tuple[str, str]]:
    """Name the outcomes of which one act wins and the other gets a code."""
    return frozenset({("ok", one), (other or one, "ok")})


PAIRS: Final[dict[str, Pair]] = {
    "approve, approve": Pair(
        lambda case: case.approve("ada"), lambda case: case.approve("bert"), either("checkout.state")
    ),
    "approve, deny": Pair(
        lambda case: case.approve("ada"),
        lambda case: case.job("bert", "deny", case.code("bert")),
        either("checkout.state"),
    ),
    "approve twice": Pair(
        lambda case: case.approve("ada"), lambda case: case.approve("ada"), either("approval.duplicate")
    ),
    "approve, cancel": Pair(
        lambda case: case.approve("ada"),
        lambda case: case.job(case.operator, "cancel"),
        frozenset({("ok", "ok"), ("checkout.state", "ok")}),
    ),
    "approve, expiry": Pair(
        lambda case: case.approve("ada"),
        lambda _: Job("root", "sweep", ()),
        frozenset({("ok", "ok"), ("checkout.state", "ok")}),
        late=True,
    ),
    "approve, removal of that approver": Pair(
        lambda case: case.approve(case.by),
        lambda case: Job("root", "remove", (case.grant(case.by),)),
        frozenset({("ok", "ok"), ("policy.denied", "ok")}),
    ),
    "begin, cancel": Pair(
        lambda case: case.begin(),
        lambda case: case.job(case.operator, "cancel"),
        either("checkout.state"),
        approved=True,
    ),
    "begin, revoke": Pair(
        lambda case: case.begin(),
        lambda case: case.job("bert", "revoke"),
        frozenset({("ok", "ok"), ("checkout.state", "ok")}),
        approved=True,
    ),
    "begin twice": Pair(
        lambda case: case.begin(), lambda case: case.begin(), either("otp.used"), approved=True
    ),
    "begin, expiry": Pair(
        lambda case: case.begin(),
        lambda _: Job("root", "sweep", ()),
        frozenset({("ok", "ok"), ("checkout.state", "ok")}),
        approved=True,
        late=True,
    ),
    "begin, removal of the approver": Pair(
        lambda case: case.begin(),
        lambda case: Job("root", "remove", (case.grant(case.by),)),
        frozenset({("ok", "ok"), ("approval.changed", "ok")}),
        approved=True,
    ),
    "begin, the approver shut out": Pair(
        lambda case: case.begin(),
        lambda case: Job("root", "disable", (case.world.people[case.by].actor.id,)),
        frozenset({("ok", "ok"), ("approval.changed", "ok")}),
        approved=True,
    ),
    "begin, removal of who asked": Pair(
        lambda case: case.begin(),
        lambda case: Job("root", "remove", (case.grant(case.operator),)),
        frozenset({("ok", "ok"), ("checkout.state", "ok"), ("policy.denied", "ok")}),
        approved=True,
    ),
}  # fmt: skip


def test_there_are_two_hundred_ways() -> None:
    assert len(PAIRS) * SEEDS >= 200


@pytest.mark.parametrize("name", PAIRS)
def test_of_two_at_once_the_log_tells_one_story(track: Track, name: str) -> None:
    pair = PAIRS[name]
    cases = [_prepare(track.world, pair, seed, name) for seed in range(SEEDS)]
    ends = track.meet([_legs(pair, case) for case in cases])
    assert set(ends) <= pair.ends, (name, sorted(set(ends) - pair.ends))
    track.world.clock.at = max(case.at for case in cases) + 2 * STEP
    gone = _gone(track.world)
    for case, end in zip(cases, ends, strict=True):
        _check(track.world, case, gone, f"{name}, seed {case.seed}: {end}")
        _clear(track.world, case)


def test_one_code_for_two_requests_at_once_approves_one(track: Track) -> None:
    world = track.world
    pair = PAIRS["approve, approve"]
    cases = [_prepare(world, pair, seed, "one code") for seed in range(SEEDS)]
    rounds = []
    for first, second in zip(cases[::2], cases[1::2], strict=True):
        first.at = second.at = first.at + SEEDS * 2 * STEP
        rounds.append((Leg(first.approve("ada"), first.at), Leg(second.approve("ada"), first.at)))
    assert set(track.meet(rounds)) <= either("otp.used")
    world.clock.at = cases[-1].at + 2 * STEP
    for case in cases:
        _clear(world, case)


def _account(seed: int) -> str:
    return f"{int(NUMBER) + seed:012}"


def _prepare(world: World, pair: Pair, seed: int, name: str) -> Case:
    """Ask, and have it approved where the pair needs that; whom the pair takes away is there for this meeting alone."""
    own = f"{''.join(filter(str.isalpha, name))}{seed}"
    by = own if "approver" in name else "ada"
    operator = own if "who asked" in name else f"o{seed}"
    asking, approver = world.human(operator, Role.OPERATOR), world.human(by, Role.APPROVER)
    request = world.ask(asking, _account(seed), REASON)
    if pair.approved:
        word = Word(Decision.APPROVE, content_hash=request.content_hash)
        request = world.vault.approvals.decide(approver.actor, request.id, word, approver.otp())
    world.clock.advance(seconds=totp.PERIOD)
    return Case(world, seed, world.clock.now(), request, operator, by)


def _legs(pair: Pair, case: Case) -> tuple[Leg, Leg]:
    """Say when both act, and who is late: nobody, the first or the second, by up to five milliseconds."""
    behind = 0.001 * (case.seed // 3)
    late = (behind if case.seed % 3 == 1 else 0.0, behind if case.seed % 3 == 2 else 0.0)
    over = case.request.use_by or case.request.decide_by
    case.at = over - timedelta(microseconds=1) if pair.late else case.at + SEEDS * 2 * STEP
    second = over if pair.late else case.at
    return Leg(pair.first(case), case.at, late[0]), Leg(pair.second(case), second, late[1])


def _check(world: World, case: Case, gone: dict[str, int], which: str) -> None:
    told = entries(world, checkout_id=case.request.id, outcome="success")
    at = {kind: [each["seq"] for each in told if each["type"] == kind] for kind in (*ENDINGS, *WORDS)}
    ended = [kind for kind in ENDINGS if at[kind]]
    assert len(ended) <= 1, which
    assert len(at["checkout.approved"]) <= 1, which
    assert len(at["checkout.granted"]) <= 1, which
    if at["checkout.granted"]:
        assert set(ended) <= {"checkout.revoked"}, which
        begun = at["checkout.granted"][0]
        words = [each for each in told if each["type"] == "checkout.approved" and each["seq"] < begun]
        counting = [each for each in words if gone.get(each["approval"]["by"], begun) >= begun]
        assert counting, f"{which}: a lease began without a word that counted"
    with world.vault.units.read() as unit:
        found = unit.checkouts.get(case.request.id)
        claim = unit.checkouts.open_of(_account(case.seed))
    assert found is not None
    assert (claim is not None) == found.is_open == (not ended), which
    assert found.state is _expected(told), which


def _gone(world: World) -> dict[str, int]:
    """Say by which entry each person lost their power, who did."""
    return {
        each["detail"]["person"]: each["seq"]
        for kind in ("role.removed", "person.disabled")
        for each in entries(world, type=kind, outcome="success")
    }


def _expected(told: list[dict[str, Any]]) -> CheckoutState:
    """Give the state that the last entry about the request leads to."""
    last = [each["type"] for each in told if each["type"] in STATES][-1]
    return STATES[last]


def _clear(world: World, case: Case) -> None:
    """Free the account for the next meeting."""
    with world.vault.units.read() as unit:
        claim = unit.checkouts.open_of(_account(case.seed))
    if claim is not None:
        world.vault.checkouts.revoke(world.people["bert"].actor, claim.id, "the meeting is over")
