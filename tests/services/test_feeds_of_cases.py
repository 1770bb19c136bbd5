"""The feed of cases: each of their steps, signed, to whoever follows them, and nothing else of the log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.services.test_feeds import SECRET, feeds_of, hook_to, size
from tests.support.handovers import Handover
from tests.support.receivers import Hook
from vault.adapters.feeds.narrowed import OfCases

if TYPE_CHECKING:
    from tests.support.world import World


def test_whoever_follows_cases_is_sent_each_of_their_steps_and_nothing_else(quick_world: World) -> None:
    handover = Handover(quick_world).three()
    case = handover.open()
    handover.world.vault.cases.work.cancel(handover.chris.actor, case.id, "the customer stays with us")
    with Hook(SECRET) as hook:
        feed = OfCases(hook_to(hook), frozenset({"handover"}), frozenset({handover.customer.id}))
        feeds = feeds_of(quick_world, feed)
        assert feeds.deliver(feed) == size(quick_world)
        assert [each["type"] for each in hook.taken] == [
            "case.opened",
            "case.accounts",
            "case.changed",
            "case.cancelled",
        ]
        again = OfCases(replace(hook_to(hook), name="of-others"), customers=frozenset({"of nobody"}))
        assert feeds_of(quick_world, again).deliver(again) == size(quick_world)
        assert len(hook.taken) == 4
        hook.answers.append((503, {}, b""))
        failing = OfCases(replace(hook_to(hook), name="failing"))
        reached = feeds_of(quick_world, failing).deliver(failing)
        assert reached == hook.taken[0]["data"]["index"], "what comes before it is passed by"
