"""Cases, put together: what every kind has in common, and what each kind and each act at AWS adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from vault.domain.case import CaseKind
from vault.domain.offboarding import Deed
from vault.domain.plans.closure import CLOSE
from vault.domain.plans.release import RESET
from vault.services.case_acts import CaseActs
from vault.services.case_board import CaseBoard
from vault.services.case_calendar import CaseCalendar
from vault.services.case_ground import CaseGround
from vault.services.case_opening import CaseOpening
from vault.services.case_views import CaseReading
from vault.services.case_words import Many
from vault.services.casework import Casework
from vault.services.closures import ClosureKind, Closures
from vault.services.handing_over import Handovers
from vault.services.handovers import HandoverKind
from vault.services.moves import MoveKind, Moves
from vault.services.offboarding_acts import DeedAct, Hands, acts_of_handover
from vault.services.onboardings import OnboardingKind
from vault.services.releasing import Releasing, Reset
from vault.services.root_sessions import RootSessions

if TYPE_CHECKING:
    from vault.bootstrap.onboarding import Welcoming
    from vault.ports.calendar import Calendars
    from vault.ports.central_root import CentralRoot
    from vault.ports.clock import Clock
    from vault.ports.offboarding import Offboarding
    from vault.ports.store import Units
    from vault.services.case_kinds import Act, Kind
    from vault.services.factors import Factors
    from vault.services.gate import Gate


@dataclass(frozen=True, slots=True)
class CaseRooms:
    """Use cases on cases of every kind."""

    opening: CaseOpening
    work: Casework
    many: Many
    acts: CaseActs
    reading: CaseReading
    board: CaseBoard
    calendar: CaseCalendar
    moves: Moves
    closures: Closures
    handovers: Handovers


@dataclass(frozen=True, slots=True)
class CaseParts:
    """What cases are put together from."""

    units: Units
    gate: Gate
    factors: Factors
    clock: Clock
    calendars: Calendars
    offboarding: Offboarding | None = None
    central_root: CentralRoot | None = None
    grace: timedelta = timedelta(days=30)
    """So long a released handover waits for the signatory's word."""
    welcoming: Welcoming | None = None


def case_rooms(
    parts: CaseParts, kinds: Mapping[CaseKind, Kind], acts: Mapping[tuple[CaseKind, str], Act]
) -> CaseRooms:
    """Give the use cases, with the kinds and acts that there are."""

    def day(moment: datetime) -> date:
        return parts.calendars.around(moment).day(moment)

    looks = {place: act for place, act in acts.items() if _is_looked(kinds, *place)}
    ground = CaseGround(parts.units, parts.gate, parts.factors, parts.clock, day, kinds, looks)
    opening, work = CaseOpening(ground), Casework(ground)
    moves = Moves(parts.units, parts.gate, parts.clock, opening, work)
    handovers = Handovers(parts.units, opening, work, parts.calendars, parts.clock)
    closures = Closures(parts.units, parts.gate, parts.factors, parts.clock, opening)
    acting = CaseActs(ground, acts)
    reading = CaseReading(ground, acting)
    calendar = CaseCalendar(ground, parts.calendars)
    board, many = CaseBoard(reading), Many(ground)
    return CaseRooms(opening, work, many, acting, reading, board, calendar, moves, closures, handovers)


def _is_looked(kinds: Mapping[CaseKind, Kind], kind: CaseKind, name: str) -> bool:
    """Say whether a person's word on a step is held against what the vault sees."""
    step = kinds[kind].plan.step(name) if kind in kinds else None
    return step is not None and step.looked


def kinds_of(parts: CaseParts) -> dict[CaseKind, Kind]:
    """Give every kind of case that this vault knows."""
    return {
        CaseKind.HANDOVER: HandoverKind(parts.calendars, Releasing(parts.grace)),
        CaseKind.CLOSURE: ClosureKind(parts.calendars),
        CaseKind.MOVE: MoveKind(parts.gate, parts.calendars),
        CaseKind.ONBOARDING: OnboardingKind(lambda moment: parts.calendars.around(moment).day(moment)),
    }


def acts_of(parts: CaseParts) -> dict[tuple[CaseKind, str], Act]:
    """Give every act at AWS that the settings name a way for."""
    found: dict[tuple[CaseKind, str], Act] = {(CaseKind.HANDOVER, RESET): Reset(parts.units)}
    found |= {} if parts.welcoming is None else dict(parts.welcoming.acts())
    if parts.offboarding is not None:
        sessions = RootSessions(parts.units, parts.clock, parts.central_root)
        hands = Hands(parts.units, parts.gate, parts.offboarding, sessions)
        found |= acts_of_handover(hands)
        found[CaseKind.CLOSURE, CLOSE] = DeedAct(hands, Deed.CLOSE)
    return found
