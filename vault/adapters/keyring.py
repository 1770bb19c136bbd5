"""A ring of key services: every data key is wrapped under all of them, any one opens it (S6).

Decided here: sealing fails closed if one member is down, because a wrap that was never made is a
loss that nobody notices until the other key is gone. Opening asks one member after the other,
lately failing ones last. A wrap that is answered as tampered is told of even if another one opens.
Never kept here: keys. The only memory is which member failed, for half a minute, for the order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from vault.domain.secret import Secret
from vault.errors import KeyCall, KeysUnavailable, Tampered
from vault.ports.keys import DataKey, KeyHealth, KeyService, Unwrapped, Wrap, Wrapped

BUDGET: Final = 10.0
"""Seconds after which no further member is asked."""
MEMORY: Final = 30.0
"""Seconds for which a failing member is asked last."""
UNKNOWN: Final = "keys.unknown"


class KeyRing:
    """Several key services as one. The first makes data keys; all wrap them.

    Those that are `retiring` wrap nothing any more, and open what they wrapped before.
    """

    def __init__(
        self,
        services: tuple[KeyService, ...],
        *,
        retiring: tuple[KeyService, ...] = (),
        budget: float = BUDGET,
        memory: float = MEMORY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not services:
            raise ValueError("a ring has at least one key service")
        self._services = services
        self._openers = (*services, *retiring)
        self._budget = budget
        self._memory = memory
        self._monotonic = monotonic
        self._failed_at: dict[int, float] = {}

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Make a data key with the first member and wrap it with every other; all or nothing."""
        made = self._services[0].generate(context)
        wraps, calls = self._wrap_with(self._services[1:], made.key, context, made.wraps, made.calls)
        return DataKey(made.key, wraps, calls)

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Wrap an existing data key with every member; all or nothing."""
        wraps, calls = self._wrap_with(self._services, key, context, (), ())
        return Wrapped(wraps, calls)

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Regain the data key from the first member whose wrap opens."""
        calls: list[KeyCall] = []
        tampered: list[str] = []
        refusal: Tampered | None = None
        outage: KeysUnavailable | None = None
        started = self._monotonic()
        for member in self._healthy_first():
            if calls and self._monotonic() - started > self._budget:
                break
            try:
                opened = self._openers[member].unwrap(wraps, context)
            except Tampered as failure:
                calls.extend(failure.calls)
                tampered.extend(_tampered_keys(failure.calls))
                refusal = refusal or failure
            except KeysUnavailable as failure:
                calls.extend(failure.calls)
                if failure.code != UNKNOWN:
                    self._failed_at[member] = self._monotonic()
                if outage is None or outage.code == UNKNOWN:
                    outage = failure
            else:
                self._failed_at.pop(member, None)
                return Unwrapped(opened.key, (*calls, *opened.calls), (*tampered, *opened.tampered))
        failed = refusal or outage
        if failed is None:  # pragma: no cover - a ring has members, and each of them opens or fails
            raise AssertionError("no member was asked")
        failed.calls = tuple(calls)
        raise failed from None

    def check(self) -> tuple[KeyHealth, ...]:
        """Look at every member's keys."""
        return tuple(health for service in self._openers for health in service.check())

    @staticmethod
    def _wrap_with(
        services: tuple[KeyService, ...],
        key: Secret[bytes],
        context: Mapping[str, str],
        wraps: tuple[Wrap, ...],
        calls: tuple[KeyCall, ...],
    ) -> tuple[tuple[Wrap, ...], tuple[KeyCall, ...]]:
        for service in services:
            try:
                more = service.wrap(key, context)
            except KeysUnavailable as failure:
                failure.calls = (*calls, *failure.calls)
                raise
            wraps = (*wraps, *more.wraps)
            calls = (*calls, *more.calls)
        return wraps, calls

    def _healthy_first(self) -> list[int]:
        now = self._monotonic()

        def lately_failed(member: int) -> bool:
            failed_at = self._failed_at.get(member)
            return failed_at is not None and now - failed_at < self._memory

        return sorted(range(len(self._openers)), key=lately_failed)


def _tampered_keys(calls: tuple[KeyCall, ...]) -> list[str]:
    return [call.key_id for call in calls if call.outcome.startswith("envelope.")]
