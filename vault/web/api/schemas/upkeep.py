"""Health, the board and the recovery score on the wire."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from vault.domain.account import Account, Custodian, Custody, Kind
from vault.domain.board import Stage
from vault.domain.credential import PartKind
from vault.domain.health import STEPS, WORDS, CredentialHealth, Fact, Health, Next, PartHealth, Why
from vault.domain.recoverable import Fate, Loss, Recoverable
from vault.ports.health import Holder, Underway
from vault.services.board import BoardItem, BoardPage, Doer
from vault.services.healths import AccountHealth, HealthPage
from vault.services.recoverables import RecoveryPage
from vault.web.api.schemas.base import AccountId, Line, PageQuery, PersonName, Resource


class HealthQuery(PageQuery):
    """Which credentials, by account number."""

    customer_id: Line | None = Field(default=None, description="A customer's id or DDI.")
    kind: Kind | None = None
    health: Health | None = None


class BoardQuery(HealthQuery):
    """Which work, the riskiest first."""

    stage: Stage | None = None


class RecoveryQuery(PageQuery):
    """Which accounts are listed beside the score of all, by account number."""

    customer_id: Line | None = Field(default=None, description="A customer's id or DDI.")
    kind: Kind | None = None
    loss: Loss | None = Field(default=None, description="By which loss `fate` is meant; absent: the worst.")
    fate: Fate | None = None


class FactResource(Resource):
    """One reason for a state, in words, and what to do about it."""

    why: Why
    words: str
    health: Health
    since: datetime
    next: Next

    @classmethod
    def of(cls, fact: Fact) -> FactResource:
        """Show one."""
        return cls(
            why=fact.why,
            words=" ".join(filter(None, (WORDS[fact.why], fact.words))),
            health=fact.health,
            since=fact.since,
            next=fact.next,
        )


class PartHealthResource(Resource):
    """The health of one part with every fact behind it, the worst first."""

    part: PartKind
    health: Health
    facts: list[FactResource]

    @classmethod
    def of(cls, part: PartHealth) -> PartHealthResource:
        """Show one."""
        return cls(part=part.kind, health=part.health, facts=[FactResource.of(each) for each in part.facts])


class CredentialHealthResource(Resource):
    """The health of a credential: the worst of its parts; computed at this moment."""

    health: Health
    since: datetime | None = Field(description="Since when its worst fact holds; null where there is none.")
    next: Next = Field(description="The step to take first.")
    step: str = Field(description="That step in words.")
    parts: list[PartHealthResource]

    @classmethod
    def of(cls, health: CredentialHealth) -> CredentialHealthResource:
        """Show it."""
        return cls(
            health=health.health,
            since=health.since,
            next=health.next,
            step=STEPS[health.next],
            parts=[PartHealthResource.of(each) for each in health.parts],
        )


class AccountBrief(Resource):
    """Which account."""

    account_id: AccountId
    name: str
    customer_id: str
    kind: Kind

    @classmethod
    def of(cls, account: Account) -> AccountBrief:
        """Show one."""
        return cls(
            account_id=account.id, name=account.name, customer_id=account.customer_id, kind=account.kind
        )


class AccountHealthResource(Resource):
    """The health of one account's credential."""

    account: AccountBrief
    state: Custody
    credential: CredentialHealthResource

    @classmethod
    def of(cls, found: AccountHealth) -> AccountHealthResource:
        """Show one."""
        return cls(
            account=AccountBrief.of(found.account),
            state=found.account.custody,
            credential=CredentialHealthResource.of(found.health),
        )


class HealthPageResource(Resource):
    """A page of credentials; `counts` is by health over all that customer and kind leave."""

    items: list[AccountHealthResource]
    counts: dict[Health, int]
    next: str | None

    @classmethod
    def of(cls, found: HealthPage) -> HealthPageResource:
        """Show one."""
        items = [AccountHealthResource.of(each) for each in found.items]
        return cls(items=items, counts=dict(found.counts), next=found.next)


class HolderResource(Resource):
    """Who has the account, or asked for it."""

    checkout_id: str
    person: PersonName
    reason: str
    since: datetime

    @classmethod
    def of(cls, holder: Holder) -> HolderResource:
        """Show one."""
        person = PersonName(id=holder.person_id, name=holder.name)
        return cls(checkout_id=holder.checkout_id, person=person, reason=holder.reason, since=holder.since)


class DoerResource(Resource):
    """Whose the account is in a campaign; `person` is null where it is nobody's yet."""

    campaign_id: str
    campaign: str
    person: PersonName | None

    @classmethod
    def of(cls, doer: Doer) -> DoerResource:
        """Show one."""
        person = None if doer.person_id is None else PersonName(id=doer.person_id, name=doer.name)
        return cls(campaign_id=doer.campaign_id, campaign=doer.campaign, person=person)


class UnderwayResource(Resource):
    """A rotation that is not at its end."""

    rotation_id: str
    part: PartKind
    state: str
    since: datetime

    @classmethod
    def of(cls, rotation: Underway) -> UnderwayResource:
        """Show one."""
        return cls(rotation_id=rotation.id, part=rotation.kind, state=rotation.state, since=rotation.since)


class BoardItemResource(Resource):
    """One credential about which something is to be done."""

    account: AccountBrief
    risk: int = Field(description="The sum of the weights in docs/upkeep.md; the highest comes first.")
    stages: list[Stage]
    health: Health
    since: datetime | None
    next: Next
    facts: list[FactResource] = Field(description="Each kind of fact once, the weightiest first.")
    checkout: HolderResource | None
    doer: DoerResource | None
    rotations: list[UnderwayResource]

    @classmethod
    def of(cls, item: BoardItem) -> BoardItemResource:
        """Show one."""
        found = item.found
        return cls(
            account=AccountBrief.of(found.account),
            risk=item.risk,
            stages=[stage for stage in Stage if stage in item.stages],
            health=found.health.health,
            since=item.since,
            next=found.health.next,
            facts=[FactResource.of(each) for each in item.facts],
            checkout=None if found.holder is None else HolderResource.of(found.holder),
            doer=None if item.doer is None else DoerResource.of(item.doer),
            rotations=[UnderwayResource.of(each) for each in found.underway],
        )


class BoardResource(Resource):
    """A page of the board; `counts` is by stage over all that the rest of the filter leaves."""

    items: list[BoardItemResource]
    counts: dict[Stage, int]
    next: str | None

    @classmethod
    def of(cls, found: BoardPage) -> BoardResource:
        """Show one."""
        items = [BoardItemResource.of(each) for each in found.items]
        return cls(items=items, counts=dict(found.counts), next=found.next)


class RecoverableResource(Resource):
    """What there is to get into one account with, and what becomes of it at each loss."""

    account: AccountBrief
    mailbox: Custodian
    phone: Custodian
    sound: list[PartKind] = Field(description="Parts whose value in the vault is counted on.")
    wrapped: list[PartKind] = Field(description="Parts that the offline recovery opens too.")
    fates: dict[Loss, Fate]

    @classmethod
    def of(cls, found: Recoverable) -> RecoverableResource:
        """Show one."""
        means = found.means
        return cls(
            account=AccountBrief.of(found.account),
            mailbox=means.mailbox,
            phone=means.phone,
            sound=sorted(means.sound),
            wrapped=sorted(means.wrapped),
            fates=dict(found.fates),
        )


class RecoveryScoreResource(Resource):
    """How many held accounts we get into by ourselves whatever is lost, and what becomes of how many at each loss."""

    held: int
    safe: int
    percent: int = Field(description="`safe` of a hundred held; 100 where none is held.")
    fates: dict[Loss, dict[Fate, int]]
    recipient: bool = Field(description="Whether an offline recovery recipient is in force.")
    items: list[RecoverableResource]
    next: str | None

    @classmethod
    def of(cls, found: RecoveryPage) -> RecoveryScoreResource:
        """Show it."""
        return cls(
            held=found.score.held,
            safe=found.score.safe,
            percent=found.score.percent,
            fates={loss: dict(counts) for loss, counts in found.score.fates.items()},
            recipient=found.recipient,
            items=[RecoverableResource.of(each) for each in found.items],
            next=found.next,
        )
