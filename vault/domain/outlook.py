"""Where a case waits: for each step whether it can be done, what is before it, who is next, and since when.

Computed from the plan and from what was done, each time it is asked; nothing of it is stored, so nothing of it can be
wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from vault.domain.account import Kind
from vault.domain.case import MEMBERS, Done, Plan, Scene, Step, StepState
from vault.domain.policy import Permission

Day = Callable[[datetime], date]
"""Gives the day of a moment where the calendar is."""


class Standing(StrEnum):
    """How a step stands at a moment."""

    BLOCKED = "blocked"
    """Other steps come first."""
    OPEN = "open"
    """It can be done now."""
    DOING = "doing"
    ASKED = "asked"
    """It waits for the second of two people."""
    FAILED = "failed"
    DONE = "done"
    WAIVED = "waived"


WAITS = frozenset({Standing.OPEN, Standing.DOING, Standing.ASKED, Standing.FAILED})
"""What somebody is expected to do something about."""


@dataclass(frozen=True, slots=True)
class Item:
    """One step of a case or of one of its accounts, as it stands.

    `who` is the permission of whoever is next, None where nobody is; `since` is from when it waits for them;
    `missing` are the titles of what comes first.
    """

    step: Step
    account_id: str
    standing: Standing
    done: Done | None
    who: Permission | None
    since: datetime
    missing: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Say whether it is somebody's turn."""
        return self.standing in WAITS


def outlook(plan: Plan, scene: Scene, now: datetime, day: Day) -> tuple[Item, ...]:
    """Give every step of a case that applies, in the plan's order, by account in the case's order.

    `now` is aware. Of a case that ended, what was never done is left out; so is it of an account that was taken out.
    Of a case that was read near one account, the steps of this account alone are given.
    """
    return tuple(_items(plan, scene, now, day))


def item(plan: Plan, scene: Scene, step: Step, account_id: str, now: datetime, day: Day) -> Item | None:
    """Give one step as it stands; None where it is not of this case or account."""
    if step.per_account != bool(account_id) or (account_id and scene.place(account_id) is None):
        return None
    return _item(plan, scene, step, account_id, now, day) if step.applies(scene.seen(account_id)) else None


def current(step: Step, done: Done | None, now: datetime, day: Day) -> bool:
    """Say whether a step is settled, and still counts today."""
    return done is not None and done.settled and (not step.daily or day(done.at) == day(now))


def _items(plan: Plan, scene: Scene, now: datetime, day: Day) -> Iterator[Item]:
    numbers = (scene.near,) if scene.near else tuple(scene.live)
    whole = () if scene.near else ("",)
    for step in plan.steps:
        for account_id in numbers if step.per_account else whole:
            found = item(plan, scene, step, account_id, now, day)
            if found is None:
                continue
            if scene.case.is_open or found.done is not None or found.standing is Standing.DONE:
                yield found


def _item(plan: Plan, scene: Scene, step: Step, account_id: str, now: datetime, day: Day) -> Item:
    done = scene.of(account_id, step.name)
    if step.known is not None and step.known(scene.seen(account_id)):
        place = scene.place(account_id)
        since = scene.case.opened_at if place is None else place.changed_at
        return Item(step, account_id, Standing.DONE, done, None, since)
    awaiting = _awaiting(plan, scene, step, account_id) if step.daily or step.on_day else ()
    later = step.daily and not awaiting and _is_needed(plan, step)
    if done is not None and (current(step, done, now, day) or (later and done.settled)):
        standing = Standing.WAIVED if done.state is StepState.WAIVED else Standing.DONE
        return Item(step, account_id, standing, done, None, done.at)
    before = list(_needed(plan, scene, step, account_id))
    missing = tuple(
        dict.fromkeys(
            each.title for each, number, known in before if not _counts(scene, each, number, known, now, day)
        )
    )
    if step.on_day:
        missing += _not_yet(scene, awaiting or ((account_id,) if account_id else tuple(scene.live)), now, day)
    if missing:
        return Item(step, account_id, Standing.BLOCKED, done, None, scene.case.opened_at, missing)
    place = scene.place(account_id) if account_id else None
    moments = [scene.case.opened_at, *(known.at for _, _, known in before if known is not None)]
    since = max([*moments, *([place.changed_at] if place is not None else [])])
    if done is None or done.settled:  # settled on another day counts no more
        return Item(step, account_id, Standing.OPEN, done, step.by, since)
    if done.state is StepState.ASKED:
        second = Permission.CASE_AGREE if done.waiving or step.second is None else step.second
        return Item(step, account_id, Standing.ASKED, done, second, done.at)
    standing = Standing.DOING if done.state is StepState.DOING else Standing.FAILED
    return Item(step, account_id, standing, done, step.by, done.at)


def _counts(scene: Scene, step: Step, account_id: str, done: Done | None, now: datetime, day: Day) -> bool:
    """Say whether a step is out of the way of those that need it."""
    if step.known is not None and step.known(scene.seen(account_id)):
        return True
    return current(step, done, now, day)


def _needed(plan: Plan, scene: Scene, step: Step, account_id: str) -> Iterator[tuple[Step, str, Done | None]]:
    """Give what has to be settled before a step: which, of which account, and what is known of it."""
    for name in step.needs:
        of_members = name.startswith(MEMBERS)
        needed = plan.step(name.removeprefix(MEMBERS))
        if needed is None:
            message = f"the plan of {plan.kind} has no step {name}"
            raise LookupError(message)
        for number in _whose(plan, scene, needed, account_id, of_members=of_members):
            if needed.applies(scene.seen(number)):
                yield needed, number, scene.of(number, needed.name)


def _whose(plan: Plan, scene: Scene, needed: Step, account_id: str, *, of_members: bool) -> list[str]:
    if not needed.per_account:
        return [""]
    if of_members:
        is_payer = bool(account_id) and scene.kind_of[account_id] is Kind.PAYER
        return [each for each in scene.live if _is_under(plan, scene, each, account_id)] if is_payer else []
    return [account_id] if account_id else list(scene.live)


def _is_under(plan: Plan, scene: Scene, number: str, payer_id: str) -> bool:
    """Say whether an account is a member that a payer waits for: one that is not said to be another payer's."""
    if scene.kind_of[number] is not Kind.MEMBER:
        return False
    return plan.under is None or scene.given(number, *plan.under) in {"", payer_id}


def _is_needed(plan: Plan, step: Step) -> bool:
    return any(step.name in each.needs for each in plan.steps)


def _awaiting(plan: Plan, scene: Scene, step: Step, account_id: str) -> tuple[str, ...]:
    """Name the accounts of which something that needs a step is not settled yet: there it has to count still."""
    found = []
    for number in (account_id,) if account_id else tuple(scene.live):
        later = (each for each in plan.steps if step.name in each.needs)
        for each in later:
            known = scene.of(number if each.per_account else "", each.name)
            applies = each.applies(scene.seen(number if each.per_account else ""))
            if applies and (known is None or not known.settled):
                found.append(number)
                break
    return tuple(found)


def _not_yet(scene: Scene, numbers: tuple[str, ...], now: datetime, day: Day) -> tuple[str, ...]:
    """Name the day for which something waits: the first of these accounts' days; nothing where one has come."""
    places = (scene.place(number) for number in numbers)
    days = [day(place.day) for place in places if place is not None and place.day is not None]
    if any(each <= day(now) for each in days):
        return ()
    return (f"its day, {min(days)}",) if days else ("its day",)
