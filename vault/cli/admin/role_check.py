"""What doctor says of the roles by which the vault works at AWS: each is taken on in some accounts, and left again.

Decided here: in which accounts. The role of [keyless] is one in payers; that of [offboarding] is wanted first where an
account is being given back or closed; each is tried in a few accounts, so that a doctor's visit takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.bootstrap.roles import roles_of
from vault.cli.admin.checks import Finding, Level
from vault.domain.account import Custody, Kind
from vault.domain.actor import EVERYTHING
from vault.errors import VaultError
from vault.ports.store import AccountFilter, Slice

if TYPE_CHECKING:
    from vault.bootstrap.roles import TriedRole
    from vault.ports.store import Unit
    from vault.settings import Settings

MOST: Final = 10
"""In so many accounts each role is tried."""
_FIRST: Final = {"offboarding": (Custody.IN_TRANSFER, Custody.CLOSING)}
_DOCUMENTS: Final = {"inspection": "hygiene", "offboarding": "offboarding", "keyless": "keyless"}


def check_roles(settings: Settings) -> Iterator[Finding]:
    """Try each role that the settings name; what a section gets wrong is told by its own check."""
    try:
        roles = roles_of(settings)
        units = units_for(settings, open_signer(settings))
    except VaultError as error:
        yield Finding("roles", Level.FAIL, error.detail)
        return
    try:
        with units.read() as unit:
            places = {each.section: _places(unit, each) for each in roles}
    except VaultError:
        return  # the database's own finding says so
    finally:
        units.engine.dispose()
    with ThreadPoolExecutor(MOST, thread_name_prefix="doctor") as pool:
        for each in roles:
            where = places[each.section]
            said = pool.map(lambda place, each=each: each.try_in(*place), where)
            yield _finding(each, [(number, why) for (number, _), why in zip(where, said, strict=True)])


def _finding(tried: TriedRole, said: list[tuple[str, str]]) -> Finding:
    name = f"role {tried.section}"
    role = tried.role.name
    if not said:
        words = f"{role} was tried nowhere: there is no {'payer' if tried.only_payers else 'account'} that we hold"
        return Finding(name, Level.OK, words)
    wrong = [f"{number} ({why})" for number, why in said if why]
    if not wrong:
        return Finding(name, Level.OK, f"{role} can be taken on in each of {len(said)} accounts tried")
    words = f"{role} cannot be taken on in {len(wrong)} of {len(said)} accounts tried: {', '.join(wrong)}"
    step = f"Look whether it is there and trusts us with this external id; see docs/{_DOCUMENTS[tried.section]}.md."
    return Finding(name, Level.WARN if len(wrong) < len(said) else Level.FAIL, words, step)


def _places(unit: Unit, tried: TriedRole) -> tuple[tuple[str, str], ...]:
    """Choose accounts that we hold, each with its customer's DDI: those first in which the role is wanted soon."""
    kind = Kind.PAYER if tried.only_payers else None
    found: dict[str, str] = {}
    for custody in (*_FIRST.get(tried.section, ()), Custody.HELD, Custody.KEYLESS):
        wanted = AccountFilter(custody=custody, kind=kind)
        for account in unit.accounts.page(EVERYTHING, wanted, Slice(MOST)).items:
            customer = unit.customers.get(account.customer_id)
            if customer is not None and len(found) < MOST:
                found.setdefault(account.id, customer.ddi)
    return tuple(found.items())
