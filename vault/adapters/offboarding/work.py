"""What the acts have in common: the way in, what is told where it is shut, and the account of what was seen and done.

Decided here: how a reason is said in a sentence; that AWS's last word on whether something is done is believed; that an
error of AWS's that means *it is so already* is no error; and that of AWS's errors the code and the reason are told,
never the message, which may hold what was sent.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

from vault.adapters.aws import code_of
from vault.adapters.inspection.asking import Asker
from vault.domain.inspection import Fact, Known, Reason, Unknown
from vault.domain.offboarding import Left, Outcome, Preview
from vault.domain.trail_text import plain

if TYPE_CHECKING:
    from vault.adapters.assumed_role import Assumed, Role
    from vault.domain.offboarding import Ours, Target

T = TypeVar("T")
ACT_SECONDS: Final = 120.0
"""The longest that one act takes."""
SETTLING: Final = 2.0
"""Seconds to wait before AWS is asked again whether something is gone that it took away: its lists lag behind."""

MARKER: Final = "Marker"
"""IAM's member that leads to the next page."""
NEXT: Final = "NextToken"
"""The others'."""

Call = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Means:
    """What every act works with: the role, what is ours, and the clock that bounds it."""

    role: Role
    ours: Ours
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    @property
    def own_role(self) -> str:
        """The name of the role that we work through, without its path."""
        return self.role.name.rpartition("/")[2]

    def into(self, account_id: str, target: Target) -> Hands | Unknown:
        """Take the role on in an account."""
        until = self.monotonic() + ACT_SECONDS
        asker = Asker(ACT_SECONDS, self.sleep, self.monotonic)
        assumed = self.role.assume(account_id, target.ddi, target.source, asker)
        return assumed if isinstance(assumed, Unknown) else Hands(account_id, assumed, asker, self, until)

    def shut_out(self, account_id: str, why: Unknown) -> Left:
        """Say that the role cannot be had in an account."""
        if why.reason is Reason.NO_ROLE:
            said = f"The role {self.role.name} of account {account_id} cannot be assumed{_code(why)}."
        else:
            said = f"The role {self.role.name} of account {account_id}: {words(why)}"
        return Left("all of it", said)


@dataclass(frozen=True, slots=True)
class Hands:
    """One act's session in one account."""

    account_id: str
    assumed: Assumed
    asker: Asker
    means: Means
    until: float

    def beside(self) -> Asker:
        """Give another asker with the same end, for a thread of its own."""
        left = self.until - self.means.monotonic()
        return Asker(left, self.means.sleep, self.means.monotonic)


STILL: Final = "AWS took the deletion and still lists it. Do it again in a minute."


@dataclass(slots=True)
class Seen:
    """What an act would meet, as far as it was looked at."""

    goes: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    unseen: list[Left] = field(default_factory=list)

    def miss(self, what: str, why: Unknown) -> None:
        """Write down what could not be looked at."""
        self.unseen.append(Left(what, words(why)))

    def preview(self) -> Preview:
        """Give it as the port has it."""
        return Preview(tuple(self.goes), tuple(self.stays), tuple(self.unseen))


@dataclass(slots=True)
class Tally:
    """What an act did so far."""

    did: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def leave(self, what: str, why: Unknown | str) -> None:
        """Write down what is left to do."""
        self.left.append(Left(what, why if isinstance(why, str) else words(why)))

    def judge(
        self,
        what: str,
        is_done: Fact[bool],
        failed: Unknown | Refusal | None,
        *,
        did: str = "",
        refused: str = "",
        still: str = STILL,
    ) -> None:
        """Believe AWS's last word on whether something is done; else say why not, by what it answered before.

        `did` is what to say of it when it is done (`what` was removed), `refused` of AWS's no, `still` where AWS took
        the call and shows nothing of it.
        """
        if isinstance(is_done, Known) and is_done.value:
            self.did.append(did or f"{what} removed")
        elif isinstance(failed, Unknown):
            self.leave(what, failed)
        elif isinstance(failed, Refusal):
            self.leave(what, refused or f"AWS does not delete it ({failed.code}).")
        else:
            self.leave(what, is_done if isinstance(is_done, Unknown) else still)

    def add(self, other: Tally) -> None:
        """Put beside it what was done elsewhere."""
        self.did += other.did
        self.left += other.left
        self.kept += other.kept

    def outcome(self) -> Outcome:
        """Give it as the port has it."""
        return Outcome(tuple(self.did), tuple(self.left), tuple(self.kept))


@dataclass(frozen=True, slots=True)
class Act(ABC):
    """One act of the day, through the role in one account: a subclass looks and works.

    What speaks against it is asked before AWS is, and told alike whether one looks or does.
    """

    means: Means

    def preview(self, target: Target) -> Preview:
        """Say what would go and what would stay; nothing is changed."""
        seen = Seen()
        hands = self._begin(target)
        if isinstance(hands, Hands):
            self.look(hands, target, seen)
        else:
            seen.unseen.append(
                hands if isinstance(hands, Left) else self.means.shut_out(self.door(target), hands)
            )
        return seen.preview()

    def carry_out(self, target: Target) -> Outcome:
        """Do it, as far as it goes now."""
        tally = Tally()
        hands = self._begin(target)
        if isinstance(hands, Hands):
            self.work(hands, target, tally)
        elif isinstance(hands, Left):
            tally.left.append(hands)
        else:
            self.shut(hands, target, tally)
        return tally.outcome()

    def door(self, target: Target) -> str:
        """Name the account whose role is needed: its own, unless a payer does it."""
        return target.account_id

    def against(self, target: Target) -> Left | None:
        """Say what keeps it from being begun; None where nothing does."""
        del target
        return None

    def shut(self, why: Unknown, target: Target, tally: Tally) -> None:
        """Tell that the role cannot be had."""
        tally.left.append(self.means.shut_out(self.door(target), why))

    @abstractmethod
    def look(self, hands: Hands, target: Target, seen: Seen) -> None:
        """Look at what is there."""

    @abstractmethod
    def work(self, hands: Hands, target: Target, tally: Tally) -> None:
        """Do what is to be done."""

    def _begin(self, target: Target) -> Hands | Left | Unknown:
        against = self.against(target)
        return self.means.into(self.door(target), target) if against is None else against


_WORDS: Final[Mapping[Reason, str]] = {
    Reason.DENIED: "AWS does not let our role do this",
    Reason.NO_ROLE: "The role cannot be assumed",
    Reason.NO_ANSWER: "AWS did not answer",
    Reason.THROTTLED: "AWS put it off until there was no time left",
    Reason.FAILED: "AWS does not do it",
    Reason.UNREADABLE: "AWS's answer cannot be read",
    Reason.NOT_ASKED: "There was no time left for it",
}


def words(why: Unknown) -> str:
    """Say why, in a sentence."""
    return f"{_WORDS[why.reason]}{_code(why)}."


def _code(why: Unknown) -> str:
    return f" ({why.code})" if why.code else ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """AWS's no of a kind that was expected; `reason` is its finer word, where there is one."""

    code: str
    reason: str = ""


def do(asker: Asker, call: Call, *expected: str) -> Refusal | Unknown | None:
    """Do something; None where AWS did it, `Refusal` for an error that was expected."""
    answer = asked(asker, call, *expected)
    return None if isinstance(answer, Known) else answer


def asked(asker: Asker, call: Call, *expected: str) -> Fact[Mapping[str, Any]] | Refusal:
    """Ask for something; `Refusal` for an error that was expected."""

    def tolerant() -> Mapping[str, Any]:
        try:
            return call()
        except ClientError as failure:
            code = code_of(failure)
            if code not in expected:
                raise
            reason = plain(failure.response.get("Reason"), 64)
            return {"refusal": Refusal(code, reason), "ResponseMetadata": {}}

    answer = asker.answer(tolerant)
    if isinstance(answer, Known) and isinstance(refusal := answer.value.get("refusal"), Refusal):
        return refusal
    return answer


def pages(
    asker: Asker, call: Callable[..., Mapping[str, Any]], key: str, *, place: str = MARKER, **arguments: Any
) -> Fact[list[Any]]:
    """List everything of one kind; `place` is how the service calls where its next page begins."""

    def one(at: str) -> Mapping[str, Any]:
        return call(**arguments, **({place: at} if at else {}))

    found = asker.pages(one, place)
    if isinstance(found, Unknown):
        return found
    lists = [page.get(key) or [] for page in found.value]
    if not all(isinstance(each, list) for each in lists):
        return Unknown(Reason.UNREADABLE)
    return Known([each for some in lists for each in some])


def names(
    asker: Asker,
    call: Callable[..., Mapping[str, Any]],
    key: str,
    member: str = "",
    *,
    place: str = MARKER,
    **arguments: Any,
) -> Fact[list[str]]:
    """List the names of everything of one kind: each thing's member of this name, or the thing itself."""
    found = pages(asker, call, key, place=place, **arguments)
    if isinstance(found, Unknown):
        return found
    said = [each.get(member) if member and isinstance(each, Mapping) else each for each in found.value]
    listed = [each for each in said if isinstance(each, str) and each]
    return Known(listed) if len(listed) == len(said) else Unknown(Reason.UNREADABLE)


NO_SUCH: Final = "NoSuchEntity"
"""IAM's word for what is not there."""


def gone(asker: Asker, there: Call, absent: str) -> Fact[bool]:
    """Ask whether something is gone that AWS was told to take away, and again where its lists may lag behind."""
    fact = asker.is_there(there, absent)
    if isinstance(fact, Known) and fact.value:
        asker.wait(SETTLING)
        fact = asker.is_there(there, absent)
    return Known(not fact.value) if isinstance(fact, Known) else fact


def told(fact: Fact[T], judge: Callable[[T], bool]) -> Fact[bool]:
    """Say whether something holds of a fact, if it is known."""
    return Known(judge(fact.value)) if isinstance(fact, Known) else fact


def having(call: Callable[..., Mapping[str, Any]], **arguments: Any) -> Call:
    """Give a call of no arguments."""
    return partial(call, **arguments)
