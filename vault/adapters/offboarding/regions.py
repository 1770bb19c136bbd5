"""Regions of an account, asked a few at a time.

Decided here: which regions count is AWS's to say (Account Management ListRegions); where it does not, the settings'
are asked and the answer says so. Four are asked at a time; one that is silent holds up none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

from vault.adapters.offboarding.work import NEXT, names
from vault.domain.inspection import Unknown

if TYPE_CHECKING:
    from vault.adapters.inspection.asking import Asker
    from vault.adapters.offboarding.work import Hands

AT_ONCE: Final = 4
ENABLED: Final = ["ENABLED", "ENABLED_BY_DEFAULT"]
PAGE: Final = 50
T = TypeVar("T")


def enabled(hands: Hands) -> tuple[tuple[str, ...], Unknown | None]:
    """Give the account's enabled regions, or those of the settings and why AWS's are not known."""
    found = names(
        hands.asker,
        hands.assumed.client("account").list_regions,
        "Regions",
        "RegionName",
        place=NEXT,
        RegionOptStatusContains=ENABLED,
        MaxResults=PAGE,
    )
    if isinstance(found, Unknown):
        return hands.means.ours.regions, found
    return tuple(sorted(found.value)), None


def across(
    hands: Hands, service: str, regions: Iterable[str], work: Callable[[str, Any, Asker], T]
) -> list[tuple[str, T]]:
    """Do the same in many regions: `work` gets the region, a client of it, and an asker of its own."""

    def one(region: str) -> tuple[str, T]:
        return region, work(region, hands.assumed.client(service, region), hands.beside())

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="offboarding") as pool:
        return list(pool.map(one, regions))
