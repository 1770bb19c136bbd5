"""What AWS's own records prove about a rotation, and what they say against what the vault holds.

Decided here: the rules, and nothing else; who brings the records is `vault.ports.evidence`, who acts on them
`vault.services.proving`. The vault never signs in as root: it only reads what AWS wrote down about those who did.
A record counts by the time at which AWS says that it happened, never by when it came. AWS tells whole seconds.

What a record can prove is bounded: AWS writes that *a* password was set, never which one. So a change proves a rotation
only where it is the only one between showing the value and hearing that AWS took it, and a sign-in only under a lease
in which no other version of the part was given out. What is late, doubled, of another account, from before the value
was shown, refused, or made by a service proves nothing.

Sources: AWS, "AWS Management Console sign-in events"; IAM, "GetAccountSummary" and "Generate credential reports"
(of several uses of a password within five minutes the report names the first); CIS for who counts as root.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.credential import PartKind
from vault.domain.observation import ROOT_CHANGES, Act, Observation, Source, makes_codes, version_of
from vault.domain.rotation import Rotation, RotationState

SLACK: Final = timedelta(seconds=60)
"""How long after an attestation AWS may say that the change happened: clocks differ."""
SETTLED: Final = timedelta(minutes=15)
"""So long records are waited for before those that came count as all there are: CloudTrail delivers within it."""
CODE_LASTS: Final = timedelta(minutes=2)
"""So long after it was given out a code may still sign in: its own step, one that AWS tolerates, and slow fingers."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a change of a part at AWS may be that of a rotation: from the first showing to the attestation.

    `until` is None while nobody has said what became of it. `refused` says that AWS was said not to have taken it.
    `lease_end` is when the lease ended under which it was attested: an old device goes last.
    """

    account_id: str
    kind: PartKind
    version: int
    since: datetime
    until: datetime | None
    refused: bool = False
    lease_end: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Say whether a moment lies in it."""
        return floor(self.since) <= at and (self.until is None or at <= self.until + SLACK)

    def explains(self, seen: Observation) -> bool:
        """Say whether a change is this rotation's own; of one that AWS was said to have refused none is."""
        if self.refused:
            return False
        if seen.act is not Act.MFA_DEACTIVATED:
            return self.covers(seen.at)
        until = self.lease_end if self.until is None else max(self.until, self.lease_end or self.until)
        in_time = floor(self.since) <= seen.at and (until is None or seen.at <= until + SLACK)
        return in_time and version_of(seen.device) != self.version


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Something that changed at AWS and that no rotation of the vault did: what is held may not work any more."""

    account_id: str
    kind: PartKind
    observation: Observation

    @property
    def why(self) -> str:
        """Say it in words: what AWS recorded and when."""
        seen = self.observation
        return f"AWS recorded {seen.act} at {seen.at:%Y-%m-%d %H:%M:%S} UTC (event {seen.id}), outside any rotation."


def contradictions(
    since: Mapping[PartKind, datetime], observations: Iterable[Observation], windows: Sequence[Window]
) -> tuple[Contradiction, ...]:
    """Say what of an account's records contradicts what is held of it, oldest first.

    `since` gives when each part's current version became so; of parts without one nothing is said. `windows` are those
    of the account's rotations. An old device that is removed is no contradiction: to remove one that is named for an
    older version, or before the lease of the rotation is over, is a rotation's last step.
    """
    found: dict[tuple[str, PartKind], Contradiction] = {}
    for seen in sorted(observations, key=lambda each: (each.at, each.id)):
        kind = PartKind.MFA if seen.act in {Act.MFA_ENABLED, Act.MFA_DEACTIVATED} else PartKind.PASSWORD
        if seen.act not in ROOT_CHANGES or seen.failed or kind not in since or seen.at < floor(since[kind]):
            continue
        own = [window for window in windows if window.kind is kind]
        if seen.act is not Act.EMAIL_UPDATED and any(window.explains(seen) for window in own):
            continue
        if seen.act is Act.MFA_DEACTIVATED and _is_old(seen.device, own):
            continue
        found.setdefault((seen.id, kind), Contradiction(seen.account_id, kind, seen))
    return tuple(found.values())


class Rule(StrEnum):
    """By which rule a rotation is proven."""

    CHANGED = "changed"
    """The only change of the part between showing the value and hearing that AWS took it."""
    SIGNED_IN = "signed_in"
    """Root signed in under a lease in which this version, and no other of its part, was given out."""
    LAST_USED = "last_used"
    """The credential report names a use of the password within such a lease: weaker, since it tells nothing of MFA."""
    MFA_APPEARED = "mfa_appeared"
    """Root had no MFA before and has it now."""


@dataclass(frozen=True, slots=True)
class Use:
    """A value that was given out to be used: which one, when, and the lease under which it was."""

    checkout_id: str
    kind: PartKind
    version: int
    at: datetime
    began: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Case:
    """An accepted rotation with what the vault itself knows beside it.

    `next_shown` is when the next value of the part was first shown; `has_mfa` whether the vault holds an MFA seed;
    `uses` are all values of the account that were given out to be used.
    """

    rotation: Rotation
    window: Window
    next_shown: datetime | None
    has_mfa: bool
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """That a rotation did what was said of it: by which rule, and by which observations."""

    rule: Rule
    seen: tuple[Observation, ...]

    @property
    def source(self) -> Source:
        """Where it was observed."""
        return self.seen[-1].source

    @property
    def at(self) -> datetime:
        """When it happened at AWS."""
        return self.seen[-1].at

    @property
    def ids(self) -> tuple[str, ...]:
        """Name the observations."""
        return tuple(each.id for each in self.seen)


_CHANGES: Final[Mapping[PartKind, Act]] = {
    PartKind.PASSWORD: Act.PASSWORD_UPDATED,
    PartKind.MFA: Act.MFA_ENABLED,
}


def proven(case: Case, observations: Iterable[Observation], until: datetime) -> Proof | None:
    """Say what proves an accepted rotation, as far as records of before `until` have all been delivered by now.

    What was observed twice under one id counts once; of another account, of before the first showing, or refused, not
    at all. What root did not do itself proves nothing, and leaves nothing proven that it may have undone.
    """
    rotation, window = case.rotation, case.window
    if rotation.state is not RotationState.ACCEPTED or window.until is None:
        return None
    once = {(each.source, each.id, each.act, each.at): each for each in observations}
    ours = [each for each in once.values() if each.account_id == rotation.account_id and each.at < until]
    seen = sorted((each for each in ours if not each.failed), key=lambda each: (each.at, each.id))
    return (
        (_changed(case, seen) if window.until + SLACK < until else None)
        or _signed_in(case, seen)
        or _appeared(case, seen)
    )


def _changed(case: Case, seen: Sequence[Observation]) -> Proof | None:
    """Find the one change of the part in the window; two, or a recovery beside it, prove nothing."""
    inside = [
        each
        for each in seen
        if case.window.covers(each.at) and (case.next_shown is None or each.at < floor(case.next_shown))
    ]
    changes = [each for each in inside if each.act is _CHANGES[case.rotation.kind]]
    recovered = any(each.act is Act.PASSWORD_RECOVERED for each in inside)
    if len(changes) != 1 or recovered or not changes[0].counts:
        return None
    if case.rotation.kind is PartKind.MFA and not _may_be_its(case, changes[0].device):
        return None
    gone = (each for each in inside if each.act is Act.MFA_DEACTIVATED and each.device is not None)
    if any(each.device == changes[0].device and each.at >= changes[0].at for each in gone):
        return None
    return Proof(Rule.CHANGED, (changes[0],))


def _signed_in(case: Case, seen: Sequence[Observation]) -> Proof | None:
    """Find a sign-in, or else a last use that the report names, that only this version explains."""
    added = {each.device for each in seen if each.act is Act.MFA_ENABLED and case.window.covers(each.at)}
    for act, rule in ((Act.SIGN_IN, Rule.SIGNED_IN), (Act.PASSWORD_USED, Rule.LAST_USED)):
        for each in seen:
            if each.act is not act or not each.counts or _replaced(case, seen, each.at):
                continue
            if _is_its_use(case, each) and _is_its_device(case, each, added):
                return Proof(rule, (each,))
    return None


def _is_its_use(case: Case, seen: Observation) -> bool:
    """Say whether a sign-in happened under a lease in which this version alone of its part was given out before.

    Of a password it has to be a later lease than that of its attestation; of a device a code that came after that.
    """
    rotation, attested = case.rotation, case.window.until
    is_mfa = rotation.kind is PartKind.MFA
    if attested is None or (is_mfa and seen.act is not Act.SIGN_IN):
        return False
    if seen.act is Act.SIGN_IN and (is_mfa or case.has_mfa) and seen.mfa is not True:
        return False
    codes = [use for use in case.uses if use.kind is PartKind.MFA and use.version != rotation.version]
    if is_mfa and any(floor(use.at) <= seen.at <= use.at + CODE_LASTS for use in codes):
        return False
    given = [
        use
        for use in case.uses
        if use.kind is rotation.kind
        and attested <= use.at
        and floor(use.at) <= seen.at
        and use.began <= seen.at
        and (use.ended is None or seen.at <= use.ended)
        and (is_mfa or use.checkout_id not in {rotation.attested_in, rotation.checkout_id})
    ]
    return {use.version for use in given} == {rotation.version}


def _may_be_its(case: Case, device: str | None) -> bool:
    """Say whether a device can be the rotation's: one of codes, of this account, not named for another version."""
    rotation = case.rotation
    return makes_codes(device, rotation.account_id) and version_of(device) in {None, rotation.version}


def _is_its_device(case: Case, seen: Observation, added: AbstractSet[str | None]) -> bool:
    """Say whether a sign-in that names its device names the rotation's: the one that was added, if that is known."""
    if case.rotation.kind is not PartKind.MFA or seen.device is None:
        return True
    return _may_be_its(case, seen.device) and (seen.device in added or not added - {None})


def _replaced(case: Case, seen: Sequence[Observation], at: datetime) -> bool:
    """Say whether the part was changed again between the rotation's window and a moment."""
    until = case.window.until or at
    acts = {_CHANGES[case.rotation.kind]} | (
        {Act.PASSWORD_RECOVERED} if case.rotation.kind is PartKind.PASSWORD else set()
    )
    return any(each.act in acts and until + SLACK < each.at <= at for each in seen)


def _appeared(case: Case, seen: Sequence[Observation]) -> Proof | None:
    """Find that root had no MFA in the last summary before, and has it in the first one after.

    A record of a device that was added tells more: where there is one, it decides (`_changed`).
    """
    window = case.window
    stated = [each for each in seen if each.act is Act.MFA_STATED]
    before = [each for each in stated if each.at < floor(window.since)]
    after = [each for each in stated if window.until is not None and each.at > window.until + SLACK]
    if case.rotation.kind is not PartKind.MFA or not before or not after:
        return None
    if before[-1].mfa is not False or after[0].mfa is not True:
        return None
    if any(each.act is Act.MFA_ENABLED and each.at <= after[0].at for each in seen):
        return None
    if case.next_shown is not None and floor(case.next_shown) <= after[0].at:
        return None
    return Proof(Rule.MFA_APPEARED, (before[-1], after[0]))


def floor(at: datetime) -> datetime:
    """Give a time as AWS tells it, in whole seconds."""
    return at.replace(microsecond=0)


def _is_old(device: str | None, windows: Sequence[Window]) -> bool:
    """Say whether a device is named for a version before the newest that was taken."""
    number = version_of(device)
    taken = [window.version for window in windows if not window.refused and window.until is not None]
    return number is not None and number < max(taken, default=0)
