"""What a policy changes beside another: each difference in words, and whether it adds power or takes it away.

Decided here: which way each part of a policy points. What cannot be told for certain to take power away adds it: the
hold is for whatever may let somebody do more. Terms that are stricter for a customer or an account are compared as
they work: per customer or account and reason, with the reason's own terms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final, TypeVar

from vault.domain.actor import Scope
from vault.domain.agreement import Needs, as_strict, words
from vault.domain.hours import Hours
from vault.domain.policy import Limits, Permission, Policy, Stricter
from vault.domain.reason import Reason
from vault.domain.ticket import Outage

K = TypeVar("K", bound=StrEnum)


class Way(StrEnum):
    """Which way a difference points."""

    ADDS = "adds power"
    TAKES = "takes away"
    WORDS = "words only"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: where it is, and what becomes of it."""

    place: str
    words: str
    way: Way


_LESS_IS_POWER: Final = frozenset({"justification_min", "break_glass_min"})
"""Limits of which the smaller value lets people do more; of all others it is the larger one."""
_UNCERTAIN: Final = frozenset({"ticket_pattern"})
_NO_HOURS: Final = "at any hour"


def differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """List everything that is other in `after`, in the order of the file."""
    return (
        *_permissions(before, after),
        *_set("machines.scopes", before.machine_scopes, after.machine_scopes),
        *_limits(before.limits, after.limits),
        *_reasons(before, after),
        *_stricter(before, after),
        *_tickets(before, after),
        *_not_root(before.refused, after.refused),
    )


def adds_power(found: tuple[Difference, ...]) -> bool:
    """Say whether any of them lets somebody do more than before."""
    return any(each.way is Way.ADDS for each in found)


def _permissions(before: Policy, after: Policy) -> Iterator[Difference]:
    for permission in Permission:
        yield from _set(
            f"permissions.{permission}", before.permissions[permission], after.permissions[permission]
        )


def _set(place: str, before: frozenset[K], after: frozenset[K]) -> Iterator[Difference]:
    for word in sorted(after - before):
        yield Difference(place, f"{word} comes in", Way.ADDS)
    for word in sorted(before - after):
        yield Difference(place, f"{word} goes out", Way.TAKES)


def _limits(before: Limits, after: Limits) -> Iterator[Difference]:
    for name in (each.name for each in fields(Limits)):
        was, now = getattr(before, name), getattr(after, name)
        if was == now:
            continue
        more = name in _UNCERTAIN or (now < was) == (name in _LESS_IS_POWER)
        yield Difference(f"limits.{name}", f"{was} becomes {now}", Way.ADDS if more else Way.TAKES)


def _reasons(before: Policy, after: Policy) -> Iterator[Difference]:
    for code, reason in after.reasons.items():
        if code not in before.reasons:
            yield Difference(f"reasons.{code}", f"is new: {reason.title}", Way.ADDS)
        else:
            yield from _reason(f"reasons.{code}", before.reasons[code], reason)
    for code in before.reasons.keys() - after.reasons.keys():
        yield Difference(f"reasons.{code}", "is no reason any more", Way.TAKES)


def _reason(place: str, before: Reason, after: Reason) -> Iterator[Difference]:
    if before.title != after.title or before.instead != after.instead:
        yield Difference(place, "its title, or the lesser way, is told in other words", Way.WORDS)
    yield from _set(f"{place}.kinds", before.kinds, after.kinds)
    yield from _set(f"{place}.situations", before.situations, after.situations)
    yield from _needs(f"{place}.approvals", (before.needs,), (after.needs,))
    yield from _seconds(f"{place}.max_seconds", before.max_seconds, after.max_seconds)
    yield from _hours(f"{place}.hours", _some(before.hours), _some(after.hours))


def _stricter(before: Policy, after: Policy) -> Iterator[Difference]:
    for scope in sorted(before.stricter.keys() | after.stricter.keys(), key=str):
        for code in (code for code in after.reasons if code in before.reasons):
            was, now = _asked(before, scope, code), _asked(after, scope, code)
            place = f"stricter.{scope} {code}"
            yield from _needs(
                f"{place} approvals", tuple(each.needs for each in was), tuple(each.needs for each in now)
            )
            yield from _seconds(f"{place} max_seconds", _least(was), _least(now))
            yield from _hours(
                f"{place} hours",
                tuple(hours for each in was for hours in _some(each.hours)),
                tuple(hours for each in now for hours in _some(each.hours)),
            )


def _asked(policy: Policy, scope: Scope, code: str) -> tuple[Stricter, ...]:
    found = policy.stricter.get(scope, ())
    return tuple(each for each in found if not each.reasons or code in each.reasons)


def _least(asked: tuple[Stricter, ...]) -> int | None:
    return min((each.max_seconds for each in asked if each.max_seconds is not None), default=None)


def _needs(place: str, before: tuple[Needs, ...], after: tuple[Needs, ...]) -> Iterator[Difference]:
    was, now = (tuple(each for each in lists if each) for lists in (before, after))
    if set(was) == set(now):
        return
    kept = all(any(as_strict(new, old) for new in now) for old in was)
    told = (
        f"{' with '.join(map(words, was)) or words(())} becomes {' with '.join(map(words, now)) or words(())}"
    )
    yield Difference(place, told, Way.TAKES if kept else Way.ADDS)


def _seconds(place: str, before: int | None, after: int | None) -> Iterator[Difference]:
    if before == after:
        return
    longer = after is None or (before is not None and after > before)
    told = f"{before or 'no bound'} becomes {after or 'no bound'}"
    yield Difference(place, told, Way.ADDS if longer else Way.TAKES)


def _hours(place: str, before: tuple[Hours, ...], after: tuple[Hours, ...]) -> Iterator[Difference]:
    if set(map(str, before)) == set(map(str, after)):  # a name says nothing about when
        return
    kept = all(any(new.within(old) for new in after) for old in before)
    was, now = ("; ".join(map(str, each)) or _NO_HOURS for each in (before, after))
    yield Difference(place, f"{was} becomes {now}", Way.TAKES if kept else Way.ADDS)


def _tickets(before: Policy, after: Policy) -> Iterator[Difference]:
    was, now = before.tickets, after.tickets
    for check in sorted(now.checks - was.checks):
        yield Difference("tickets.checks", f"{check} comes in", Way.TAKES)
    for check in sorted(was.checks - now.checks):
        yield Difference("tickets.checks", f"{check} goes out", Way.ADDS)
    for code in (code for code in after.reasons if code in before.reasons):
        old, new = was.while_away(code), now.while_away(code)
        if old is not new:
            way = Way.TAKES if new is Outage.DENY else Way.ADDS
            yield Difference(f"tickets.outage {code}", f"{old} becomes {new}", way)


def _some(hours: Hours | None) -> tuple[Hours, ...]:
    return () if hours is None else (hours,)


def _not_root(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    for code in sorted(before.keys() | after.keys()):
        if before.get(code) != after.get(code):
            yield Difference(f"not_root.{code}", "says otherwise how it is done without root", Way.WORDS)
