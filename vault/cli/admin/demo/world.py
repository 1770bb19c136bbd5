"""The story's small world: who works here, for which customers, with which accounts. All of it is made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vault.domain.account import Kind, Model
from vault.domain.actor import Role

DOMAIN: Final = "rootvault.example"
ORIGIN: Final = "demo.rootvault.example/audit"
SCOPES: Final = ("account.read", "case.read", "handover.open", "trail.read")


@dataclass(frozen=True, slots=True)
class Part:
    """One person of the story."""

    name: str
    role: Role

    @property
    def email(self) -> str:
        """Their address, made of their name."""
        return f"{'.'.join(self.name.lower().split())}@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Company:
    """A customer."""

    ddi: str
    name: str


@dataclass(frozen=True, slots=True)
class Ground:
    """An AWS account, and how far its custody has come when the story ends."""

    number: str
    company: Company
    name: str
    model: Model
    kind: Kind

    @property
    def root_email(self) -> str:
        """The unique root address of ours (C4)."""
        return f"aws+{self.number}@{DOMAIN}"


PEOPLE: Final = (
    Part("Maren Olsen", Role.ADMIN),
    Part("Tobias Lindqvist", Role.ADMIN),
    Part("Ana Ferreira", Role.OPERATOR),
    Part("Jonas Weber", Role.OPERATOR),
    Part("Priya Raman", Role.APPROVER),
    Part("Samuel Okafor", Role.APPROVER),
    Part("Helen Byrne", Role.AUDITOR),
    Part("Ivo Marek", Role.CUSTODIAN),
    Part("Claire Dubois", Role.CSM),
)
LEAVER: Final = Part("Nils Berg", Role.OPERATOR)
"""Leaves in the course of the story; whoever looks at it afterwards does not find them among the people."""
GUEST: Final = Part("Greta Holm", Role.AUDITOR)
"""An auditor of one customer, for a time that is over when the story ends."""
MACHINE: Final = "offboarding-workflow"

NORTHGATE: Final = Company("4711001", "Northgate Logistics")
BRIGHTWATER: Final = Company("4711002", "Brightwater Health")
WESTLAKE: Final = Company("4711003", "Westlake Retail")
"""Has left when the story ends."""
HARBORVIEW: Final = Company("4711004", "Harborview Media")
"""Is winding down: it closes accounts, and gives others away."""
LUMEN: Final = Company("4711005", "Lumen Pictures")
"""Gets accounts: of Harborview, and one of its own."""

PAYER: Final = Ground("310000000014", NORTHGATE, "northgate-payer", Model.SPAM, Kind.PAYER)
MEMBER: Final = Ground("310000000021", NORTHGATE, "northgate-production", Model.SPAM, Kind.MEMBER)
UNTOUCHED: Final = Ground("310000000038", NORTHGATE, "northgate-staging", Model.SPAM, Kind.MEMBER)
HALF: Final = Ground("310000000045", NORTHGATE, "northgate-analytics", Model.SPAM, Kind.MEMBER)
DUE: Final = Ground("520000000017", BRIGHTWATER, "brightwater-payer", Model.ECAM, Kind.PAYER)
THEIRS: Final = Ground("520000000024", BRIGHTWATER, "brightwater-clinic", Model.ECAM, Kind.MEMBER)
ALONE: Final = Ground("520000000031", BRIGHTWATER, "brightwater-archive", Model.SPAM, Kind.STANDALONE)
UNKNOWN: Final = Ground("520000000048", BRIGHTWATER, "brightwater-lab", Model.SPAM, Kind.STANDALONE)
ACCOUNTS: Final = (PAYER, MEMBER, UNTOUCHED, HALF, DUE, THEIRS, ALONE, UNKNOWN)

LEFT_PAYER: Final = Ground("730000000019", WESTLAKE, "westlake-payer", Model.SPAM, Kind.PAYER)
LEFT_SHOP: Final = Ground("730000000026", WESTLAKE, "westlake-shop", Model.SPAM, Kind.MEMBER)
LEFT_STORE: Final = Ground("730000000033", WESTLAKE, "westlake-warehouse", Model.SPAM, Kind.MEMBER)
LEFT: Final = (LEFT_SHOP, LEFT_STORE, LEFT_PAYER)
"""Handed over to their customer before the rest of the story: members first, the payer last."""

LAST: Final = Ground("840000000011", HARBORVIEW, "harborview-payer", Model.SPAM, Kind.PAYER)
CLOSED: Final = Ground("840000000028", HARBORVIEW, "harborview-campaigns", Model.SPAM, Kind.MEMBER)
DEAD: Final = Ground("840000000035", HARBORVIEW, "harborview-microsite", Model.SPAM, Kind.STANDALONE)
MOVED: Final = Ground("840000000042", HARBORVIEW, "harborview-studio", Model.SPAM, Kind.STANDALONE)
LEAVING: Final = Ground("840000000066", HARBORVIEW, "harborview-archive", Model.SPAM, Kind.STANDALONE)
HARBOR: Final = (LAST, CLOSED, DEAD, MOVED, LEAVING)
"""Held since three months ago: to be closed after its member, closed, dead, another customer's, to be given back."""
WELCOMED: Final = Ground("840000000059", HARBORVIEW, "harborview-press", Model.SPAM, Kind.STANDALONE)
AWAITED: Final = Ground("950000000016", LUMEN, "lumen-newsroom", Model.SPAM, Kind.STANDALONE)
COME: Final = (WELCOMED, AWAITED)
"""Registered by their onboardings: one ended in custody, the other waits for its customer."""
EVERY: Final = (*ACCOUNTS, *LEFT, *HARBOR, *COME)
