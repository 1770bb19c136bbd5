"""How accounts are welcomed, made of settings: the pattern of root addresses, the templates of instructions (A3, C4).

Read at start; what cannot be meant is refused before anything is served. A template is text: nothing in it is run.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from vault.domain.instructions import LINE, WHOLE, BadTemplate, Instructions, Template
from vault.domain.plans.onboarding import PATHS
from vault.domain.root_email import AddressPattern, BadPattern
from vault.errors import Refused
from vault.services.onboarding_acts import acts as acts_of_onboarding
from vault.services.onboarding_desk import Letters, Onboardings
from vault.settings import shipped_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.bootstrap.cases import CaseParts
    from vault.domain.case import CaseKind
    from vault.ports.tickets import TicketSystem
    from vault.services.accounts import Accounts
    from vault.services.case_kinds import Act
    from vault.services.case_opening import CaseOpening
    from vault.services.casework import Casework
    from vault.services.inspecting import Inspecting
    from vault.settings import Settings

_ADDRESS: Final = "onboarding.root_address"
_FILE: Final = "onboarding.instructions_file"
SHIPPED: Final = "onboarding.toml"
"""The texts that came with the program."""


@dataclass(frozen=True, slots=True)
class Reception:
    """What the settings say of onboardings; `pattern` is None where they have none."""

    instructions: Instructions
    pattern: AddressPattern | None


def open_onboarding(settings: Settings) -> Reception:
    """Give what the settings say; raise `Refused` settings.invalid for what cannot be meant."""
    told = settings.onboarding.root_address
    try:
        pattern = AddressPattern(told) if told else None
    except BadPattern as wrong:
        _wrong(_ADDRESS, str(wrong))
    return Reception(_instructions(settings), pattern)


def _instructions(settings: Settings) -> Instructions:
    named = settings.onboarding.instructions_file
    path = settings.directory / named if named else shipped_directory() / SHIPPED
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        _wrong(_FILE, f"{path} cannot be read: {failure}")
    wanted = {"account": "line"} | dict.fromkeys(PATHS, "text")
    for section, table in document.items():
        if not isinstance(table, dict) or set(table) != {wanted.get(section)}:
            _wrong(_FILE, f"[{section}] is not known, or has something that is not")
    missing = sorted(wanted.keys() - document.keys())
    if missing:
        _wrong(_FILE, f"has no [{missing[0]}]")
    texts = {path: _template(document[path]["text"], path, WHOLE) for path in PATHS}
    return Instructions(texts, _template(document["account"]["line"], "account", LINE))


def _template(text: object, section: str, places: frozenset[str]) -> Template:
    if not isinstance(text, str):
        _wrong(_FILE, f"[{section}] has something that is no text")
    try:
        return Template(text, places)
    except BadTemplate as wrong:
        _wrong(_FILE, f"[{section}] {wrong}")


def _wrong(setting: str, words: str) -> NoReturn:
    raise Refused("settings.invalid", f"{setting}: {words}.", setting=setting)


@dataclass(frozen=True, slots=True)
class Welcoming:
    """What onboardings are put together from; `inspecting` is None where settings name no role to look through."""

    reception: Reception
    accounts: Accounts
    inspecting: Inspecting | None
    role: str
    tickets: TicketSystem | None

    @property
    def letters(self) -> Letters:
        """The texts for customers."""
        return Letters(self.reception.instructions, self.role)

    def acts(self) -> Mapping[tuple[CaseKind, str], Act]:
        """Give what the vault does itself in an onboarding."""
        return acts_of_onboarding(self.inspecting, self.letters, self.tickets)

    def desk(self, parts: CaseParts, opening: CaseOpening, work: Casework) -> Onboardings:
        """Give the use cases of opening one, and of its text."""
        return Onboardings(
            parts.units,
            parts.gate,
            parts.clock,
            self.accounts,
            opening,
            work,
            self.letters,
            self.reception.pattern,
        )


def welcoming(
    settings: Settings, accounts: Accounts, inspecting: Inspecting, tickets: TicketSystem | None
) -> Welcoming:
    """Put together what the settings say of onboardings."""
    looks = inspecting if inspecting.inspector is not None else None
    return Welcoming(open_onboarding(settings), accounts, looks, settings.inspection.role, tickets)
