"""What stands out in a day of the log, ranked, each with why: for whoever reviews it.

Decided here: the rules, their weight, and what one anomaly is: a rule and the entries that it is about; and that
more than 20 of one rule are one, so that a day never wants more answers than a signature holds. Each is a function
of the leaves up to the end of the day and of nothing else, so that anybody who has the log finds the same ones, in
the same order, with the same digest (docs/auditors.md says how). Nothing here says that somebody did wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.services.leaves import disclosures

if TYPE_CHECKING:
    from vault.services.leaves import Leaf

BURST: Final = 5
"""So many failed sign-ins from one network in a day are a burst."""
MANY_ACCOUNTS: Final = 5
"""So many accounts by one person in a day stand out."""
ENOUGH_HOURS: Final = 10
"""So many earlier acts of a person are needed before an hour is called odd for them."""
NEAR_HOURS: Final = 1
"""An hour is not odd where one acted before within so many hours of it."""
TOGETHER: Final = 20
"""So many of one rule stand alone; beyond that all of that rule are one, with one answer."""
_DAY: Final = 24


class Rule(StrEnum):
    """Why something stands out."""

    UNKNOWN_OUTCOME = "unknown_outcome"
    BROKEN_GLASS = "broken_glass"
    FROZEN = "frozen"
    PASSKEY_SUSPECT = "passkey_suspect"
    RESTORED = "restored"
    INCIDENT = "incident"
    OUTLET_LOST = "outlet_lost"
    KEY_ROTATED = "key_rotated"
    POLICY_CHANGED = "policy_changed"
    NOT_ROTATED = "not_rotated"
    ROLE_GRANTED = "role_granted"
    TWO_AGREED = "two_agreed"
    EXPORT = "export"
    WRONG_PASSWORDS = "wrong_passwords"
    FLOOD = "flood"
    MANY_ACCOUNTS = "many_accounts"
    REVOKED = "revoked"
    ROTATION_UNKNOWN = "rotation_unknown"
    FAILED_STEP_UPS = "failed_step_ups"
    DENIED = "denied"
    TOKEN = "token"  # noqa: S105 - the name of a rule
    FAILED = "failed"
    FIRST_TIME = "first_time"
    ODD_HOUR = "odd_hour"


class Meaning(NamedTuple):
    """How much a rule weighs (3 is looked at first), and what it says to a person."""

    weight: int
    name: str
    why: str


MEANING: Final[Mapping[Rule, Meaning]] = {
    Rule.UNKNOWN_OUTCOME: Meaning(
        3, "Disclosure without outcome", "Treat the value as disclosed: was it rotated?"
    ),
    Rule.BROKEN_GLASS: Meaning(
        3,
        "Glass broken",
        "Was it an emergency, and is it rotated and reviewed by somebody without a part in it?",
    ),
    Rule.FROZEN: Meaning(
        3, "Disclosures frozen", "What was seen, and what ended it? Were the two who lifted it right?"
    ),
    Rule.PASSKEY_SUSPECT: Meaning(3, "Passkey counted backwards", "A copy may exist: was it removed?"),
    Rule.RESTORED: Meaning(
        3, "Backup restored", "Who decided it, and what was lost between backup and restore?"
    ),
    Rule.INCIDENT: Meaning(3, "Incident opened", "Something happened that the log does not explain."),
    Rule.OUTLET_LOST: Meaning(3, "Outside place lost", "Nobody outside confirmed the log for too long."),
    Rule.KEY_ROTATED: Meaning(
        3, "Log's key rotated", "Was it announced, and did you get the new key on another way?"
    ),
    Rule.POLICY_CHANGED: Meaning(
        3, "Policy changed", "Who agreed to it? Compare the file's hash with the one agreed."
    ),
    Rule.NOT_ROTATED: Meaning(
        2, "Not rotated by the end of the day", "A password was seen, and no later one was accepted that day."
    ),
    Rule.ROLE_GRANTED: Meaning(
        2, "Role granted", "Is there a request for it, and were the two who agreed independent?"
    ),
    Rule.TWO_AGREED: Meaning(
        2, "Two people agreed", "A policy, a recovery, an emergency's power: is there work that explains it?"
    ),
    Rule.EXPORT: Meaning(2, "Copy taken", "Entries left the vault: by whom, and for whom?"),
    Rule.WRONG_PASSWORDS: Meaning(
        2, "Burst of failed sign-ins", "Somebody guesses, or a program has an old password."
    ),
    Rule.FLOOD: Meaning(
        2, "Flood of failures", "A network failed so often that not each try is an entry. Did one succeed?"
    ),
    Rule.MANY_ACCOUNTS: Meaning(2, "Many accounts in a day", "Is there work that explains so many?"),
    Rule.REVOKED: Meaning(2, "Checkout ended by force", "Why, and what had been seen before?"),
    Rule.ROTATION_UNKNOWN: Meaning(2, "Outcome at AWS unknown", "Nobody knew which value was set."),
    Rule.FAILED_STEP_UPS: Meaning(2, "Second factor refused", "Wrong, used twice, or not theirs?"),
    Rule.DENIED: Meaning(1, "Was refused", "What did they try, and why?"),
    Rule.TOKEN: Meaning(1, "Token made", "What is it for, and does it end?"),
    Rule.FAILED: Meaning(1, "Something failed", "What was it, and does it work again?"),
    Rule.FIRST_TIME: Meaning(1, "First time on this account", "Is this account part of their work?"),
    Rule.ODD_HOUR: Meaning(1, "Unusual hour for this person", "Was it them?"),
}

NOTABLE: Final = (
    EventType.REVEAL_UNKNOWN,
    EventType.REVEAL_AUTHORIZED,
    EventType.REVEAL_FAILED,
    EventType.BREAK_GLASS_BEGUN,
    EventType.FREEZE_SET,
    EventType.PASSKEY_SUSPECT,
    EventType.VAULT_RESTORED,
    EventType.INCIDENT_OPENED,
    EventType.OUTLET_LOST,
    EventType.LOG_KEY_ROTATED,
    EventType.POLICY_LOADED,
    EventType.ROLE_GRANTED,
    EventType.PROPOSAL_AGREED,
    EventType.AUDIT_EXPORTED,
    EventType.BACKUP_TAKEN,
    EventType.ACCESS_FLOOD,
    EventType.SIGN_IN_REFUSED,
    EventType.CHECKOUT_REVOKED,
    EventType.CHECKOUT_GRANTED,
    EventType.ROTATION_UNKNOWN,
    EventType.STEP_UP_REFUSED,
    EventType.TOKEN_ISSUED,
)
"""The types of entries that the rules look at, beside all that were denied or failed."""

_ONE_EACH: Final[Mapping[EventType, Rule]] = {
    EventType.REVEAL_UNKNOWN: Rule.UNKNOWN_OUTCOME,
    EventType.BREAK_GLASS_BEGUN: Rule.BROKEN_GLASS,
    EventType.FREEZE_SET: Rule.FROZEN,
    EventType.VAULT_RESTORED: Rule.RESTORED,
    EventType.INCIDENT_OPENED: Rule.INCIDENT,
    EventType.OUTLET_LOST: Rule.OUTLET_LOST,
    EventType.LOG_KEY_ROTATED: Rule.KEY_ROTATED,
    EventType.ROLE_GRANTED: Rule.ROLE_GRANTED,
    EventType.PROPOSAL_AGREED: Rule.TWO_AGREED,
    EventType.CHECKOUT_REVOKED: Rule.REVOKED,
    EventType.ROTATION_UNKNOWN: Rule.ROTATION_UNKNOWN,
    EventType.TOKEN_ISSUED: Rule.TOKEN,
}
_OF_NETWORKS: Final = frozenset({EventType.SIGN_IN_REFUSED, EventType.ACCESS_FLOOD})


@dataclass(frozen=True, slots=True)
class Past:
    """What the rules need of the log before the day: each told by leaves below the end of the day.

    `used_before` holds (person, account) pairs with an earlier lease, `hours` the hours of earlier acts of each
    person, `policy` the policy before the day, `rotated` (account, index) of accepted passwords of the day.
    """

    used_before: frozenset[tuple[str, str]] = frozenset()
    hours: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    policy: str = ""
    rotated: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A rule and the entries it is about, oldest first. `key` names it among those of its day.

    `count` is above one where so many of the rule were found that they are put together.
    """

    rule: Rule
    leaves: tuple[Leaf, ...]
    words: str = ""
    count: int = 1

    @property
    def key(self) -> str:
        """Its name: of the rule and its entries, the same for everybody who looks."""
        return f"a_{_hash(self.identity)[:12]}"

    @property
    def identity(self) -> dict[str, object]:
        """What it is, for the digest."""
        return {"rule": self.rule.value, "entries": [leaf.index for leaf in self.leaves]}

    @property
    def weight(self) -> int:
        """How early it is looked at: 3 first."""
        return MEANING[self.rule].weight


def anomalies(leaves: tuple[Leaf, ...], past: Past) -> tuple[Anomaly, ...]:
    """Give what stands out among a day's notable, denied and failed entries; the heaviest first."""
    found = [
        *_simple(leaves),
        *_grouped(leaves),
        *_networks(leaves),
        *_leases(leaves, past),
        *_policies(leaves, past),
    ]
    found += _unrotated(leaves, past)
    return tuple(sorted(_together(found), key=lambda each: (-each.weight, each.leaves[0].index, each.rule)))


def digest(found: Iterable[Anomaly], unread: Iterable[str] = ()) -> str:
    """Hash what was found, in its order, and the types of which not all was read, in theirs.

    Hashed is canonical JSON: `{"anomalies":[{"entries":[…],"rule":"…"},…],"unread":["…",…]}`.
    """
    return _hash({"anomalies": [each.identity for each in found], "unread": sorted(unread)})


def _together(found: Iterable[Anomaly]) -> Iterator[Anomaly]:
    """Make one of all that a rule found where these are more than `TOGETHER`."""
    by_rule: dict[Rule, list[Anomaly]] = defaultdict(list)
    for each in found:
        by_rule[each.rule].append(each)
    for rule, some in by_rule.items():
        if len(some) <= TOGETHER:
            yield from some
            continue
        leaves = {leaf.index: leaf for each in some for leaf in each.leaves}
        whole = tuple(leaves[index] for index in sorted(leaves))
        yield Anomaly(rule, whole, f"{len(some)} of them, put together", len(some))


def _simple(leaves: tuple[Leaf, ...]) -> Iterator[Anomaly]:
    for leaf in leaves:
        kind = _type(leaf)
        rule = None if kind is None else _ONE_EACH.get(kind)
        if rule is not None and leaf.outcome != "denied":
            yield Anomaly(rule, (leaf,))


def _grouped(leaves: tuple[Leaf, ...]) -> Iterator[Anomaly]:
    """Put entries together that one look answers: by person, by network, by what failed."""
    groups: dict[tuple[Rule, str, str], list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        if leaf.type in _OF_NETWORKS:
            continue
        if leaf.type == EventType.PASSKEY_SUSPECT:
            groups[Rule.PASSKEY_SUSPECT, leaf.who.id, ""].append(leaf)
        elif leaf.type == EventType.STEP_UP_REFUSED:
            groups[Rule.FAILED_STEP_UPS, leaf.who.id, ""].append(leaf)
        elif leaf.outcome == "denied":
            groups[Rule.DENIED, leaf.who.id, leaf.type].append(leaf)
        elif leaf.outcome == "failed":
            groups[Rule.FAILED, leaf.type, ""].append(leaf)
        elif leaf.type in {EventType.AUDIT_EXPORTED, EventType.BACKUP_TAKEN}:
            groups[Rule.EXPORT, leaf.who.id, leaf.type].append(leaf)
    for (rule, _, _), some in groups.items():
        yield Anomaly(rule, tuple(some))


def _networks(leaves: tuple[Leaf, ...]) -> Iterator[Anomaly]:
    """Put refused sign-ins and floods of one network together: one look answers them all."""
    groups: dict[str, list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        if leaf.type in _OF_NETWORKS:
            groups[leaf.told("network") or leaf.who.ip or "an unknown network"].append(leaf)
    for network, some in groups.items():
        counts = [leaf.detail.get("count") for leaf in some if leaf.type == EventType.ACCESS_FLOOD]
        refused = len(some) - len(counts)
        if counts:
            most = max((count for count in counts if isinstance(count, int)), default=0)
            words = f"{refused} refused, and {len(counts)} counts of up to {most} at once, from {network}"
            yield Anomaly(Rule.FLOOD, tuple(some), words)
        elif refused >= BURST:
            yield Anomaly(Rule.WRONG_PASSWORDS, tuple(some), f"{refused} from {network}")


def _leases(leaves: tuple[Leaf, ...], past: Past) -> Iterator[Anomaly]:
    """Look at the leases of the day: new pairs of person and account, many accounts, unusual hours."""
    granted = [leaf for leaf in leaves if leaf.is_(EventType.CHECKOUT_GRANTED)]
    pairs = set(past.used_before)
    of_person: dict[str, list[Leaf]] = defaultdict(list)
    odd: set[str] = set()
    for leaf in granted:
        of_person[leaf.who.id].append(leaf)
        if (leaf.who.id, leaf.account) not in pairs:
            pairs.add((leaf.who.id, leaf.account))
            yield Anomaly(Rule.FIRST_TIME, (leaf,))
        if leaf.who.id not in odd and is_odd(leaf.at.hour, past.hours.get(leaf.who.id, ())):
            odd.add(leaf.who.id)
            yield Anomaly(Rule.ODD_HOUR, (leaf,), f"{leaf.at:%H:%M} UTC")
    for some in of_person.values():
        numbers = {leaf.account for leaf in some}
        if len(numbers) >= MANY_ACCOUNTS:
            yield Anomaly(Rule.MANY_ACCOUNTS, tuple(some), f"{len(numbers)} accounts")


def _policies(leaves: tuple[Leaf, ...], past: Past) -> Iterator[Anomaly]:
    before = past.policy
    for leaf in leaves:
        if leaf.type != EventType.POLICY_LOADED:
            continue
        loaded = leaf.policy.get("id", "")
        if before and loaded != before:
            yield Anomaly(Rule.POLICY_CHANGED, (leaf,), f"from {before[:12]}… to {loaded[:12]}…")
        before = loaded


def _unrotated(leaves: tuple[Leaf, ...], past: Past) -> Iterator[Anomaly]:
    """Name each account whose password was seen that day and not replaced by the day's end, by its last look."""
    last: dict[str, Leaf] = {}
    for each in disclosures(leaves):
        if each.is_use and each.counts and each.authorized.kind == PartKind.PASSWORD:
            last[each.authorized.account] = each.authorized
    for account, leaf in last.items():
        if not any(number == account and index > leaf.index for number, index in past.rotated):
            yield Anomaly(Rule.NOT_ROTATED, (leaf,))


def is_odd(hour: int, before: tuple[int, ...]) -> bool:
    """Say whether an hour of the day is far from all hours at which somebody acted before."""
    if len(before) < ENOUGH_HOURS:
        return False
    return all(min((hour - each) % _DAY, (each - hour) % _DAY) > NEAR_HOURS for each in before)


def _type(leaf: Leaf) -> EventType | None:
    return EventType(leaf.type) if leaf.type in set(EventType) else None


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
