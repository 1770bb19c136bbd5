"""The log, replayed, is the database (S3): states, versions and disclosures, computed from entries alone.

`check_replay(world)` reads every leaf in order, keeps a model of what the entries say, and compares it with the
rows. It also holds the log itself to what must be true in any order of events: a change starts where the last one
ended, every step is one its table knows, and nothing is released that was not authorised in an earlier entry.

Decided here: what an entry is taken to mean. Never used here: the vault's services or stores, except to be
compared with.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, text

from audit.merkle import leaf_hash
from vault.domain.account import CUSTODY
from vault.domain.checkout import CHECKOUT, OPEN
from vault.domain.credential import PART
from vault.domain.rotation import ROTATION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from tests.support.world import World
    from vault.domain.lifecycle import Lifecycle

_TABLES: Final[dict[str, Lifecycle[Any, Any]]] = {
    "account": CUSTODY,
    "checkout": CHECKOUT,
    "part": PART,
    "rotation": ROTATION,
}
_STARTS: Final = {
    "checkout": {CHECKOUT.start.value},
    "part": {PART.start.value},
    "rotation": {""},
    "account": {""},
}
_OUTCOMES: Final = {
    "secret.reveal.released": "released",
    "secret.reveal.failed": "failed",
    "secret.reveal.unknown": "unknown",
}


class ReplayError(AssertionError):
    """The log and the database tell different stories, or the log tells an impossible one."""


@dataclass(slots=True)
class Model:
    """What the entries say, after all of them were read."""

    states: dict[tuple[str, str], str] = field(default_factory=dict)
    labels: dict[tuple[str, str, int], str] = field(default_factory=dict)
    hashes: dict[tuple[str, str, int], str] = field(default_factory=dict)
    rotated: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    reveals: dict[str, str] = field(default_factory=dict)
    used: Counter[tuple[str, str]] = field(default_factory=Counter)
    accounts: dict[str, tuple[int, str | None]] = field(default_factory=dict)

    def take(self, seq: int, leaf: bytes) -> None:
        """Take one entry in."""
        entry: dict[str, Any] = json.loads(leaf)
        self._chain(seq, entry, leaf)
        for change in entry.get("changes") or ():
            self._change(seq, change)
        secret = entry.get("secret")
        if secret is not None and entry["outcome"] != "denied":
            self._version(seq, entry, secret)
        if entry["type"] == "rotation.verified":
            account, kind, number = self.rotated[entry["changes"][0]["id"]]
            for (owner, part, other), label in self.labels.items():
                if (owner, part, label) == (account, kind, "previous") and other < number:
                    self.labels[owner, part, other] = "retired"

    def _chain(self, seq: int, entry: dict[str, Any], leaf: bytes) -> None:
        """Hold the account's own chain together: counted from nought, each naming the one before."""
        account = entry.get("account")
        if account is None:
            return
        count, last = self.accounts.get(account["id"], (0, None))
        if (account["seq"], account.get("prev")) != (count, last):
            raise ReplayError(f"entry {seq} is not the next one of account {account['id']}")
        self.accounts[account["id"]] = count + 1, leaf_hash(leaf).hex()

    def _change(self, seq: int, change: dict[str, str]) -> None:
        table = _TABLES.get(change["entity"])
        if table is None:
            return
        place = change["entity"], change["id"]
        before = self.states.get(place)
        if (before is None and change["from"] not in _STARTS[change["entity"]]) or before not in {
            None,
            change["from"],
        }:
            raise ReplayError(f"entry {seq} moves {place} from {change['from']}, the log had it at {before}")
        steps = {(was.value, now.value) for (was, _), now in table.transitions.items()}
        if change["from"] and (change["from"], change["to"]) not in steps:
            raise ReplayError(f"entry {seq} takes a step that {table.name} does not know: {change}")
        self.states[place] = change["to"]

    def _version(self, seq: int, entry: dict[str, Any], secret: dict[str, Any]) -> None:
        account, kind, number = entry["account"]["id"], secret["kind"], secret["version"]
        place = account, kind, number
        known = self.hashes.setdefault(place, secret["ciphertext_sha256"])
        if known != secret["ciphertext_sha256"]:
            raise ReplayError(f"entry {seq} names another envelope for {place} than an earlier one")
        match entry["type"]:
            case "credential.taken_in":
                self.labels[place] = "staged"
            case "rotation.planned":
                self.labels[place] = "staged"
                self.rotated[entry["changes"][0]["id"]] = place
            case "secret.promoted":
                for other, label in list(self.labels.items()):
                    if other[:2] == place[:2] and label == "current":
                        self.labels[other] = "previous"
                self.labels[place] = "current"
            case "rotation.refused" | "rotation.abandoned":
                self.labels[place] = "failed"
            case "secret.reveal.authorized":
                self._authorized(seq, entry, kind)
            case "secret.reveal.released" | "secret.reveal.failed" | "secret.reveal.unknown":
                reveal = entry["detail"]["reveal"]
                if self.reveals.get(reveal) != "authorized":
                    raise ReplayError(f"entry {seq} ends a disclosure that no earlier entry authorised")
                self.reveals[reveal] = _OUTCOMES[entry["type"]]
            case _:
                pass

    def _authorized(self, seq: int, entry: dict[str, Any], kind: str) -> None:
        checkout = entry["checkout"]
        if self.states.get(("checkout", checkout)) != "active":
            raise ReplayError(f"entry {seq} authorises a disclosure under a lease that is not active")
        self.reveals[entry["detail"]["reveal"]] = "authorized"
        if entry["detail"]["purpose"] == "use":
            self.used[checkout, kind] += 1


def replayed(connection: Connection) -> Model:
    """Read all leaves of a database into a model."""
    model = Model()
    for seq, leaf in connection.execute(text("SELECT seq, leaf FROM audit_entry ORDER BY seq")):
        model.take(seq, bytes(leaf))
    return model


def check_database(url: str) -> Model:
    """Raise `ReplayError` unless the database at `url` is in the state that its log leads to."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            model = replayed(connection)
            _compare(connection, model)
        return model
    finally:
        engine.dispose()


def check_replay(world: World) -> Model:
    """As `check_database`, for the database that a world runs on."""
    engine = world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units, as in every real world
    return check_database(engine.url.render_as_string(hide_password=False))


def _compare(connection: Connection, model: Model) -> None:
    def rows(statement: str) -> Iterable[tuple[Any, ...]]:
        return (tuple(row) for row in connection.execute(text(statement)))

    _same(
        "account", {row[0]: row[1] for row in rows("SELECT id, custody FROM account")}, _of(model, "account")
    )
    checkouts = {row[0]: row[1] for row in rows("SELECT id, state FROM checkout")}
    _same("checkout", checkouts, _of(model, "checkout"))
    parts = {f"{row[0]}/{row[1]}": row[2] for row in rows("SELECT account_id, kind, state FROM part")}
    _same("part", {place: state for place, state in parts.items() if state != "absent"}, {
        place: state for place, state in _of(model, "part").items() if state != "absent"
    })  # fmt: skip
    _same(
        "rotation", {row[0]: row[1] for row in rows("SELECT id, state FROM rotation")}, _of(model, "rotation")
    )
    versions = {
        row[:3]: row[3:] for row in rows("SELECT account_id, kind, number, label, sha256 FROM version")
    }
    said = {place: (label, model.hashes[place]) for place, label in model.labels.items()}
    _same("version", versions, said)
    _same("reveal", {row[0]: row[1] for row in rows("SELECT id, state FROM reveal")}, model.reveals)
    counted = {row[0]: row[1:] for row in rows("SELECT id, reveals, codes FROM checkout")}
    used = {each: (model.used[each, "password"], model.used[each, "mfa"]) for each in checkouts}
    _same("count of disclosures", counted, used)
    claims = Counter(row[0] for row in rows("SELECT account_id, state FROM checkout") if row[1] in OPEN)
    if any(count > 1 for count in claims.values()):
        raise ReplayError(f"more than one open checkout for an account: {claims}")


def _of(model: Model, entity: str) -> dict[str, str]:
    return {place[1]: state for place, state in model.states.items() if place[0] == entity}


def _same(what: str, in_rows: dict[Any, Any], in_log: dict[Any, Any]) -> None:
    if in_rows != in_log:
        places = {
            place for place in in_rows.keys() | in_log.keys() if in_rows.get(place) != in_log.get(place)
        }
        told = [
            f"{place}: rows {in_rows.get(place)}, log {in_log.get(place)}"
            for place in sorted(places, key=str)
        ]
        raise ReplayError(f"the log does not lead to this state of {what}: " + "; ".join(told))
