"""What ``/metrics`` tells of places outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest

from vault.web.outlet_numbers import OutletNumbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.web.api.service import Service
    from vault.domain.formats import Copied
    from vault.ports.feeds import Delivery


@dataclass
class Away:
    """A feed to nobody."""

    name: str = "webhook"

    def deliver(self, entries: Sequence[Copied], seconds: float) -> Delivery:
        """Reach nobody."""
        raise NotImplementedError

    def test(self) -> Delivery:
        """Reach nobody."""
        raise NotImplementedError


def test_each_place_of_the_settings_tells_how_far_behind_it_is(quick: Service) -> None:
    vault = quick.world.vault
    places = replace(vault.places, names=("webhook",))
    vault = replace(vault, feeds=replace(vault.feeds, feeds=(Away(),)), places=places)
    registry = CollectorRegistry()
    registry.register(OutletNumbers(vault))
    size = quick.size()
    assert f'rootvault_outlet_lag_entries{{outlet="webhook"}} {size}.0' in generate_latest(registry).decode()
    vault.outlets.confirmed("webhook", 1)
    vault.outlets.confirmed("another", 1)
    for _ in range(2):
        vault.outlets.failed("webhook", "away")
        quick.world.clock.advance(minutes=20)
    told = generate_latest(registry).decode()
    assert f'rootvault_outlet_lag_entries{{outlet="webhook"}} {quick.size() - 1}.0' in told
    assert 'rootvault_outlet_failing_seconds{outlet="webhook"} 2400.0' in told
    assert 'rootvault_outlet_lost{outlet="webhook"} 1.0' in told
    assert "another" not in told
