"""The catalogue of events: each is written by something, each changed thing is told, and no leaf holds a secret."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.support.haystack import forms
from tests.support.repository import ROOT
from tests.support.whole import PASSWORD, SEED, tell
from vault.domain.event import CATALOGUE, EventType
from vault.domain.told import BEGINNINGS, LIFECYCLES, told
from vault.ports.census import UsedEmail

if TYPE_CHECKING:
    from tests.support.world import World

WRITERS = ("services", "bootstrap", "cli", "adapters", "web")
ELSEWHERE = {"vault/web/ui/words_events.py", "vault/domain/event.py"}
"""Modules that name events and write none."""
READERS = {"vault/domain/formats"}
UNTOLD = {"keyless", "case", "case_account"}
"""Lifecycles that the story does not walk: nothing is removed at AWS in it, and no case is opened."""
BY_THE_STORY = {
    EventType.LOG_OPENED, EventType.SIGNED_IN, EventType.SIGNED_OUT, EventType.STEPPED_UP,
    EventType.PERSON_INVITED, EventType.ENROLMENT_OPENED, EventType.PERSON_ENROLLED, EventType.PERSON_DISABLED,
    EventType.ROLE_PROPOSED, EventType.ROLE_GRANTED, EventType.ROLE_REMOVED, EventType.TOKEN_ISSUED,
    EventType.TOKEN_REVOKED, EventType.CUSTOMER_REGISTERED, EventType.CUSTOMER_CHANGED,
    EventType.ACCOUNT_REGISTERED, EventType.ACCOUNT_CHANGED, EventType.CREDENTIAL_TAKEN_IN,
    EventType.SECRET_PROMOTED, EventType.CUSTODY_HELD, EventType.CHECKOUT_REQUESTED, EventType.CHECKOUT_APPROVED,
    EventType.CHECKOUT_GRANTED, EventType.CHECKOUT_RETURNED, EventType.REVEAL_AUTHORIZED,
    EventType.REVEAL_RELEASED, EventType.ROTATION_PLANNED, EventType.ROTATION_DISPLAYED,
    EventType.ROTATION_ACCEPTED, EventType.ROTATION_REFUSED, EventType.ROTATION_ABANDONED,
    EventType.ROTATION_VERIFIED,
}  # fmt: skip


def leaves(world: World) -> list[bytes]:
    """Read all leaves."""
    with world.vault.units.read() as unit:
        return [leaf for _, leaf in unit.census.leaves()]


def test_each_event_is_written_somewhere() -> None:
    written: set[str] = set()
    for path in sorted((ROOT / "vault").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name in ELSEWHERE or any(name.startswith(folder) for folder in READERS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "EventType"
            ):
                written.add(node.attr)
    assert {each.name for each in EventType} - written == set()
    assert set(CATALOGUE) == set(EventType)


def test_the_story_writes_what_it_does_and_tells_each_change(vault_world: World) -> None:
    tell(vault_world)
    contents = [json.loads(leaf) for leaf in leaves(vault_world)]
    assert {each["type"] for each in contents} >= {each.value for each in BY_THE_STORY}
    changed = {
        change["entity"].partition(".")[0] for each in contents for change in each.get("changes") or ()
    }
    with vault_world.vault.units.read() as unit:
        kept = {told(thing)[0] for thing in unit.census.things() if not isinstance(thing, UsedEmail)}
    assert changed - {"sessions", "tokens"} == kept
    assert set(BEGINNINGS) <= kept
    assert set(LIFECYCLES) - UNTOLD <= kept
    # a change says something, and the same of one thing twice in one entry is a mistake
    for each in contents:
        places = [(change["entity"], change["id"]) for change in each.get("changes") or ()]
        assert len(places) == len(set(places)), each["type"]
        assert all(change["from"] != change["to"] for change in each.get("changes") or ())


def test_no_leaf_holds_a_secret_in_any_form(vault_world: World) -> None:
    whole = tell(vault_world)
    members = [*whole.admins, whole.operator, whole.approver]
    secrets = [
        PASSWORD,
        SEED,
        whole.password,
        whole.token.text.expose(),
        whole.machine.text.expose(),
        whole.waiting.link.expose(),
        whole.session.token.expose(),
        whole.session.device.expose(),
        *(member.password for member in members),
        *(member.seed.secret.expose() for member in members),
    ]
    with vault_world.vault.units.engine.connect() as connection:  # type: ignore[attr-defined]  # the SQL units
        rows = connection.execute(text("SELECT password_hash FROM person WHERE password_hash IS NOT NULL"))
        secrets += rows.scalars().all()
    everything = b"\n".join(leaves(vault_world))
    for secret in secrets:
        assert [name for name, form in forms(secret.encode()).items() if form in everything] == []
