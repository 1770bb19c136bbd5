"""Onboardings as a custodian opens them: accounts registered on the way, addresses made, the customer's text (A1-A4).

Decided here: an account that is not registered yet is registered first, each by itself; whatever stops the opening
after that leaves them registered, and the same request again goes on from there. Addresses are made by the pattern of
the settings, where nobody names one. The text is made anew from the case each time it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vault.domain.account import Account, Custodian, Kind, Model, first_custody
from vault.domain.case import CaseFile, CaseKind, Scene
from vault.domain.event import Event, EventType
from vault.domain.ids import is_email
from vault.domain.outlook import Standing
from vault.domain.plans import onboarding as steps
from vault.domain.policy import Permission
from vault.errors import Conflict, FieldError, Invalid
from vault.ports.cases import CaseFilter
from vault.ports.store import Slice
from vault.services.account_limits import over_limit
from vault.services.accounts import AccountFacts, Accounts
from vault.services.case_evidence import fields_of, read
from vault.services.case_opening import MOST_ACCOUNTS, CaseOpening, Opening
from vault.services.gate import Gate, refuse
from vault.services.onboardings import wrong_path
from vault.services.root_emails import made_address

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.domain.instructions import Instructions
    from vault.domain.root_email import AddressPattern
    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.store import Units
    from vault.services.case_ground import CaseView
    from vault.services.casework import Casework

UNKNOWN_YET: Final = "(not known yet)"
LATER: Final = "(we name it on this ticket)"
"""What stands for the role where the settings name none to look through."""
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When an account was registered that is not registered yet."""


@dataclass(frozen=True, slots=True)
class Joining:
    """One account of an onboarding.

    `model`, `kind`, `name` and `root_email`, as it is now, are needed where it is not registered yet; `address` is the
    root e-mail that it will have, empty to have one made.
    """

    account_id: str
    name: str = ""
    model: Model | None = None
    kind: Kind | None = None
    root_email: str = ""
    is_new: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What somebody opens; `information` is that of A1 by field, empty where it comes later."""

    customer_id: str
    accounts: tuple[Joining, ...]
    ticket: str
    cause: str = ""
    information: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Letters:
    """The text for the customer, from the templates of the settings; `role` is that which we look through."""

    instructions: Instructions
    role: str

    def text(self, scene: Scene) -> str:
        """Make the text of a case as it stands."""
        accounts = tuple(scene.accounts[number] for number in scene.live)
        path = scene.given("", steps.INFORMATION, "path") or steps.path_of(accounts) or steps.STANDALONE
        given = {
            name: scene.given("", steps.INFORMATION, name) or UNKNOWN_YET
            for name in ("company", "company_address", "signatory", "signatory_email")
        }
        lines = [
            self.instructions.line.fill(
                {
                    "account": each.id,
                    "kind": each.kind.value,
                    "name": each.name,
                    "root_email": _address_words(scene, each),
                }
            )
            for each in accounts
        ]
        facts = {
            "accounts": "\n".join(lines),
            "count": str(len(accounts)),
            "customer": scene.customer.name,
            "ddi": scene.customer.ddi,
            "payer": next((each.id for each in accounts if each.kind is Kind.PAYER), ""),
            "role": self.role or LATER,
            "ticket": scene.case.ticket,
        }
        return self.instructions.texts[path].fill(facts | given).strip() + "\n"


@dataclass(frozen=True, slots=True)
class Onboardings:
    """The use cases."""

    units: Units
    gate: Gate
    clock: Clock
    accounts: Accounts
    opening: CaseOpening
    work: Casework
    letters: Letters
    pattern: AddressPattern | None = None

    def open(self, actor: Actor, welcome: Welcome) -> CaseFile:
        """Open an onboarding, with the accounts that are not registered yet; the same `cause` again is the same case.

        Raises what `Accounts.register` and `CaseOpening.open` raise, `Conflict` account.limit or case.account.
        """
        _check(welcome)
        known = self._known(welcome)
        elsewhere = any(each.customer_id != welcome.customer_id for each in known.values())
        missing = tuple(each for each in welcome.accounts if each.account_id not in known)
        wanted = tuple(known.get(each.account_id) or _planned(welcome, each) for each in welcome.accounts)
        if not elsewhere and not self._again(actor, welcome):
            path = welcome.information.get("path") or steps.path_of(wanted) or ""
            wrong = wrong_path(wanted, path)
            if wrong:
                raise Conflict("case.account", wrong, rule="A2")
            self._may_register(actor, welcome.customer_id, missing)
            for each in missing:
                self._register(actor, welcome.customer_id, each)
        return self.opening.open(actor, self._opening(welcome))

    def text(self, actor: Actor, case_id: str) -> str:
        """Make the instructions of a case in sight, as it stands now."""
        return self.letters.text(self._view(actor, case_id).scene)

    def make_addresses(self, actor: Actor, case_id: str) -> CaseView:
        """Make an address for each account of a case that has none; done again, nothing more happens.

        Raises `Conflict` case.state where the settings have no pattern.
        """
        view = self._view(actor, case_id)
        if self.pattern is None:
            raise _no_pattern()
        for item in view.items:
            if item.step.name == steps.ADDRESS and item.standing is Standing.OPEN:
                address = made_address(self.pattern, item.account_id)
                given = {"address": address}
                self.work.attest(_unclaiming(actor), case_id, steps.ADDRESS, item.account_id, given)
        return self._view(actor, case_id)

    def _view(self, actor: Actor, case_id: str) -> CaseView:
        return self.work.get(actor, case_id, CaseKind.ONBOARDING)

    def _again(self, actor: Actor, welcome: Welcome) -> bool:
        """Say whether this actor opened a case for the same cause: nothing is registered for it again."""
        if not welcome.cause.strip():
            return False
        wanted = CaseFilter(kind=CaseKind.ONBOARDING, cause=welcome.cause.strip(), opened_by=actor.id)
        return bool(self.work.page(actor, wanted, Slice(limit=1)).items)

    def _known(self, welcome: Welcome) -> Mapping[str, Account]:
        with self.units.read() as unit:
            return unit.accounts.many(tuple(each.account_id for each in welcome.accounts))

    def _may_register(self, actor: Actor, customer_id: str, missing: tuple[Joining, ...]) -> None:
        """Refuse before anything is registered what would be refused after (A4)."""
        new = sum(each.is_new for each in missing)
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.ONBOARDING_MANAGE, now, customer_id=customer_id)
            error = over_limit(unit, customer_id, new) if new else None
            if error is not None:
                detail: dict[str, Fact] = {"asked_for": f"{new} new accounts", "customer": customer_id}
                refuse(unit, Event(EventType.ACCESS_DENIED, actor, rule="A4", detail=detail), error, now)

    def _register(self, actor: Actor, customer_id: str, each: Joining) -> None:
        assert each.model is not None  # noqa: S101 - `_planned` refused it
        assert each.kind is not None  # noqa: S101 - as above
        facts = AccountFacts(each.name, each.root_email)
        try:
            self.accounts.register(
                _unclaiming(actor),
                each.account_id,
                customer_id,
                each.model,
                each.kind,
                facts,
                is_new=each.is_new,
            )
        except Conflict:
            with self.units.read() as unit:
                meanwhile = unit.accounts.get(each.account_id)
            if meanwhile is None:
                raise  # else the same request was sent twice at once; the opening looks whose it is

    def _opening(self, welcome: Welcome) -> Opening:
        given: dict[tuple[str, str], Mapping[str, str]] = {}
        if welcome.information:
            given["", steps.INFORMATION] = welcome.information
        known = self._known(welcome)
        for each in welcome.accounts:
            account = known.get(each.account_id)
            address = "" if account is None else each.address or self._made(account)
            if account is not None and address and steps.is_ours(account):
                given[account.id, steps.ADDRESS] = {"address": address}
        numbers = tuple(each.account_id for each in welcome.accounts)
        return Opening(
            CaseKind.ONBOARDING, welcome.customer_id, numbers, welcome.ticket, welcome.cause, given
        )

    def _made(self, account: Account) -> str:
        """Make an address; what was made for the customer bears ours from its beginning."""
        if account.is_new:
            return account.root_email
        return "" if self.pattern is None else made_address(self.pattern, account.id)


def _unclaiming(actor: Actor) -> Actor:
    """Let an entry on the way claim no Idempotency-Key: the request is not done with it, and tried again it goes on."""
    return replace(actor, origin=replace(actor.origin, idempotency=None))


def _check(welcome: Welcome) -> None:
    """Refuse what cannot be meant before anything is registered."""
    numbers = [each.account_id for each in welcome.accounts]
    if not numbers or len(numbers) > MOST_ACCOUNTS or len(set(numbers)) != len(numbers):
        words = f"Name 1 to {MOST_ACCOUNTS} accounts, each once."
        raise Invalid("input.invalid", words, errors=(FieldError("/accounts", words),))
    if welcome.information:
        step = steps.PLAN.step(steps.INFORMATION)
        assert step is not None  # noqa: S101 - the plan has it
        read(fields_of(step), welcome.information, "/information")
    wrong = [
        FieldError(f"/accounts/{index}/address", "An e-mail address, such as aws+root@roots.example.com.")
        for index, each in enumerate(welcome.accounts)
        if each.address and not is_email(each.address)
    ]
    if wrong:
        raise Invalid("input.invalid", wrong[0].detail, errors=tuple(wrong))


def _planned(welcome: Welcome, each: Joining) -> Account:
    """Give an account as it will be registered."""
    if each.model is None or each.kind is None or not each.name.strip() or not each.root_email:
        at = f"/accounts/{[one.account_id for one in welcome.accounts].index(each.account_id)}"
        words = (
            f"Account {each.account_id[:12]} is not registered yet: give its name, model, kind and present root "
            "e-mail, and it is registered with the case."
        )
        raise Invalid("input.invalid", words, errors=(FieldError(at, words),))
    unknown = Custodian.UNKNOWN
    custody = first_custody(each.model, each.kind)
    return Account(
        each.account_id, welcome.customer_id, each.name, each.model, each.kind, custody, each.root_email,
        unknown, unknown, NEVER, is_new=each.is_new,
    )  # fmt: skip


def _address_words(scene: Scene, account: Account) -> str:
    if not steps.is_ours(account):
        return f"stays {account.root_email}"
    return scene.given(account.id, steps.ADDRESS, "address") or UNKNOWN_YET


def _no_pattern() -> Conflict:
    words = "The settings have no pattern of root addresses (onboarding.root_address); name an address of each account."
    return Conflict("case.state", words)
