"""The end of a handover, put together: links, the customer's page, evidence packs, and what time does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vault.services.acknowledging import Acknowledging
from vault.services.customer_links import CustomerLinks
from vault.services.evidence_packs import EvidencePacks
from vault.services.handed_over import HandedOver

if TYPE_CHECKING:
    from vault.bootstrap.compose import Ground
    from vault.ports.anchors import Mailer
    from vault.services.case_ground import CaseGround
    from vault.services.destruction import Destruction


@dataclass(frozen=True, slots=True)
class ReleaseRooms:
    """Use cases at the end of a handover."""

    links: CustomerLinks
    acknowledging: Acknowledging
    packs: EvidencePacks
    handed_over: HandedOver


def release_rooms(
    ground: Ground, cases: CaseGround, destruction: Destruction, mailer: Mailer | None
) -> ReleaseRooms:
    """Give the use cases; without a mailer no link goes out."""
    settings = ground.settings
    lasts = timedelta(days=settings.handover.link_days)
    return ReleaseRooms(
        CustomerLinks(cases, ground.server_key, mailer, settings.server.public_url, ground.origin, lasts),
        Acknowledging(ground.units, ground.clock, cases),
        EvidencePacks(cases, ground.origin, ground.vkey),
        HandedOver(ground.units, ground.clock, destruction),
    )
