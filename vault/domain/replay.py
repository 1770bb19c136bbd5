"""What a log says of everything that is kept, after all its entries were read in order (S3).

Decided here: what an entry is taken to mean, which is what its `changes` say and nothing else, and what no honest
log can say: a change that does not start where the one before ended, a step that the thing's table does not know,
an entry that is not its account's next, a version with two envelopes, a disclosure that no lease allowed.
Memory is bounded by what is kept, never by the length of the log: one small line for each fact that is not empty.
Never done here: reading a database, or believing a signature (`audit` does).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vault.domain.event import EventType
from vault.domain.ids import fold_email
from vault.domain.told import BEGINNINGS, EVERY_SESSION, EVERY_TOKEN, LIFECYCLES

EMAIL: Final = "root_email"
_STEPS: Final = {
    kind: {(str(was), str(now)) for (was, _), now in table.transitions.items()}
    for kind, table in LIFECYCLES.items()
}
_LEAF: Final = b"\x00"
_DISCLOSING: Final = frozenset(
    {
        EventType.REVEAL_RELEASED,
        EventType.REVEAL_FAILED,
        EventType.REVEAL_UNKNOWN,
        EventType.REVEAL_AUTHORIZED,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not fit: of which thing, what the log says, what was found, since which entry."""

    kind: str
    id: str
    log: str
    found: str
    entry: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One fact as the log has it, and the number of the entry that said so last."""

    value: str
    entry: int


@dataclass(slots=True)
class Replayed:
    """The state that the entries lead to; entries are numbered on over all logs, from 0."""

    report: Callable[[Fault], None]
    lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    accounts: dict[str, tuple[int, str]] = field(default_factory=dict)
    opened: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Sessions not ended: whose, and when they were opened."""
    tokens: dict[str, set[str]] = field(default_factory=dict)
    """Tokens by person."""
    entry: int = 0

    def begin(self) -> None:
        """Begin another log: entries of an account are counted from nought again."""
        self.accounts.clear()

    def take(self, content: Mapping[str, Any], leaf: bytes) -> None:
        """Take one entry in."""
        try:
            self._follow(content, leaf)
            for change in content.get("changes") or ():
                self._change(change, content)
            self._hold(content)
            if content["type"] == EventType.LOG_DAY:
                self._count(content)
        except (KeyError, TypeError, AttributeError) as error:
            words = f"the entry is not of the form that this program writes ({type(error).__name__}: {error})"
            self._say("entry", str(self.entry), "", "", words)
        self.entry += 1

    def value(self, kind: str, number: str) -> str:
        """Give a fact as the log has it; what was never told is empty, or where its kind begins."""
        line = self.lines.get((kind, number))
        return BEGINNINGS.get(kind, "") if line is None else line.value

    def forget_sessions(self, before: str) -> None:
        """Forget sessions that were opened before a time and cannot count any more, ended or not."""
        for number in [number for number, (_, at) in self.opened.items() if at < before]:
            self._end_session(number)

    def _follow(self, content: Mapping[str, Any], leaf: bytes) -> None:
        """Hold the account's own chain together: counted from nought, each naming the one before."""
        account = content.get("account")
        if account is None:
            return
        count, last = self.accounts.get(account["id"], (0, None))
        if (account["seq"], account.get("prev")) != (count, last):
            words = "the entry is not the next one of its account"
            self._say("entry", account["id"], str(count), str(account["seq"]), words)
        self.accounts[account["id"]] = account["seq"] + 1, hashlib.sha256(_LEAF + leaf).hexdigest()

    def _change(self, change: Mapping[str, str], content: Mapping[str, Any]) -> None:
        kind, number, was, now = change["entity"], change["id"], change["from"], change["to"]
        if kind == EVERY_SESSION:
            for session in [each for each, (person, _) in self.opened.items() if person == number]:
                self._end_session(session)
            return
        if kind == EVERY_TOKEN:
            for token in self.tokens.get(number, ()):
                self.lines["token", token] = Line("revoked", self.entry)
            return
        before = self.value(kind, number)
        # two may write down at the same moment what was there already; it is the same state
        if before not in {was, now}:
            self._say(kind, number, before, was, "the entry changes it from a state that it was not in")
        steps = _STEPS.get(kind)
        if steps is not None and was and was != now and (was, now) not in steps:
            self._say(kind, number, was, now, "the entry takes a step that there is not")
        self._set(kind, number, now, content)

    def _set(self, kind: str, number: str, now: str, content: Mapping[str, Any]) -> None:
        if kind == "session":
            if now != "open":
                self._end_session(number)
                return
            self.opened[number] = "", content["time"]
        elif kind == "session.person":
            self.opened[number] = now, content["time"]
        elif kind == "token.person":
            self.tokens.setdefault(now, set()).add(number)
        elif kind == "account.root_email":
            self.lines[EMAIL, fold_email(now)] = Line(number, self.entry)
        if now == "" and "." in kind:
            self.lines.pop((kind, number), None)
        else:
            self.lines[kind, number] = Line(now, self.entry)

    def _end_session(self, number: str) -> None:
        self.opened.pop(number, None)
        self.lines.pop(("session", number), None)
        self.lines.pop(("session.person", number), None)

    def _hold(self, content: Mapping[str, Any]) -> None:
        """Hold an entry about a secret to the version it names, and a disclosure to its lease."""
        if content["type"] == EventType.MAIL_AUTHORIZED:
            lease = self.value("checkout", content["checkout"])
            if lease != "active":
                words = "the entry authorises an opening of mail under a lease that is not active"
                self._say("checkout", content["checkout"], lease, "active", words)
        secret = content.get("secret")
        if secret is None or content["outcome"] == "denied":
            return
        version = f"{content['account']['id']}/{secret['kind']}/{secret['version']}"
        known = self.value("version.sha256", version)
        if known != secret["ciphertext_sha256"]:
            words = "the entry names another envelope for this version than the one before"
            self._say("version.sha256", version, known, secret["ciphertext_sha256"], words)
        if content["type"] not in _DISCLOSING:
            return
        reveal = content["detail"]["reveal"]
        if not self.value("reveal", reveal):
            self._say("reveal", reveal, "", content["type"], "it ends a disclosure that no entry authorised")
        lease = self.value("checkout", content["checkout"])
        if content["type"] == EventType.REVEAL_AUTHORIZED and lease != "active":
            words = "the entry authorises a disclosure under a lease that is not active"
            self._say("checkout", content["checkout"], lease, "active", words)

    def _count(self, content: Mapping[str, Any]) -> None:
        """Hold a daily summary to the number of entries that each account had by then."""
        for account, count in _counts(content):
            here = self.accounts.get(account, (0, ""))[0]
            if here != count:
                words = "the daily summary counts another number of entries than there were"
                self._say("account", account, str(here), str(count), words)

    def _say(self, kind: str, number: str, log: str, found: str, words: str) -> None:
        self.report(Fault(kind, number, log, found, self.entry, words))


def _counts(content: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Read the counts of a daily summary: `account:count`, apart by blanks."""
    for pair in str(content["detail"].get("accounts", "")).split():
        account, _, count = pair.partition(":")
        yield account, int(count)
