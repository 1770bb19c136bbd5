"""The templates as texts: what the Content-Security-Policy would refuse, and what no page may do, is not in them."""

from __future__ import annotations

import ast
import re
from enum import StrEnum

import pytest

from tests.support.repository import ROOT
from vault.domain.account import Custodian, Custody, Kind
from vault.domain.actor import Role
from vault.domain.board import Stage
from vault.domain.checkout import CheckoutState
from vault.domain.credential import Due, PartKind, PartState, VersionLabel, VersionOrigin
from vault.domain.event import EventType, Result
from vault.domain.health import Health
from vault.domain.person import PersonState
from vault.domain.reason import Situation
from vault.domain.recoverable import Fate, Loss
from vault.domain.rotation import RotationState
from vault.services.reviews import DayState
from vault.web.ui import words

UI = ROOT / "vault/web/ui"
TEMPLATES = sorted((UI / "templates").rglob("*.html"))
SCRIPTS = sorted((UI / "static").glob("*.js"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_what_the_policy_refuses(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined] # pytest gives parameters without their type
    assert re.findall(r"\sstyle=|<style|\son[a-z]+=\"|javascript:|<script(?! defer src=)", text) == []
    assert re.findall(r"(?:href|src|action)=\"(?:https?:)?//", text) == []
    assert "|safe" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_posts_carries_its_token(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined] # as above
    forms = re.findall(r"<form method=\"post\".*?</form>", text, re.DOTALL)
    assert [form[:80] for form in forms if "token()" not in form] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_stores_sends_or_runs_texts(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined] # as above
    stores = r"sessionStorage|indexedDB|document\.cookie"
    sends_or_runs = r"innerHTML|outerHTML|eval\(|fetch\(|XMLHttp|sendBeacon|console\."
    # a passkey's ticket is asked for, and nothing is sent along: no method, no body
    asks = 'fetch(address, { headers: { Accept: "application/json" }, cache: "no-store" })'
    asked = text.replace(asks, "", 1) if path.name == "passkey.js" else text  # type: ignore[attr-defined] # as above
    assert re.findall(f"{stores}|{sends_or_runs}", asked) == []


def test_only_the_switch_of_the_shortcuts_is_kept_in_the_browser() -> None:
    users = {path.name for path in SCRIPTS if "localStorage" in path.read_text()}
    assert users == {"keys.js"}
    assert set(re.findall(r"localStorage\.\w+\(([^,)]+)", (UI / "static/keys.js").read_text())) == {"SWITCH"}


@pytest.mark.parametrize(
    ("states", "table"),
    [
        (EventType, words.EVENT),
        (Custody, words.CUSTODY),
        (Situation, words.SITUATION),
        (CheckoutState, words.CHECKOUT),
        (PartState, words.PART),
        (PartKind, words.PART_KIND),
        (RotationState, words.ROTATION),
        (VersionLabel, words.VERSION),
        (VersionOrigin, words.ORIGIN),
        (Due, words.DUE),
        (Health, words.HEALTH),
        (Stage, words.STAGE),
        (Loss, words.LOSS),
        (Fate, words.FATE),
        (PersonState, words.PERSON),
        (Result, words.OUTCOME),
        (DayState, words.DAY),
        (Role, words.ROLE),
        (Role, words.ROLE_MEANING),
        (Kind, words.KIND),
        (Custodian, words.CUSTODIAN),
    ],
)
def test_every_state_has_its_words(states: type[StrEnum], table: object) -> None:
    assert set(states) == set(table)  # type: ignore[call-overload] # tables differ in what they hold


def test_every_sign_that_is_named_is_drawn() -> None:
    drawn = set(re.findall(r'^  "([a-z]+)": "', (UI / "templates/ui/macros.html").read_text(), re.MULTILINE))
    named = set(re.findall(r'icon\("([a-z]+)"\)', "".join(path.read_text() for path in TEMPLATES)))
    tables = (words.CUSTODY, words.SITUATION, words.CHECKOUT, words.PART, words.ROTATION, words.VERSION)
    named |= {word.icon for table in tables for word in table.values()}
    named |= {
        word.icon
        for table in (words.PERSON, words.OUTCOME, words.CUSTODIAN, words.HEALTH, words.STAGE, words.FATE)
        for word in table.values()
    }
    assert named - drawn == set()


def test_an_event_or_outcome_of_another_version_is_shown_by_its_name() -> None:
    assert words.event("handover.released") == "handover.released"
    assert words.outcome("partial").name == "partial"


def test_no_page_gives_another_meaning_to_what_every_page_is_given() -> None:
    given, passed = set[str](), set[tuple[str, str]]()
    for path in sorted((ROOT / "vault/web/ui").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "_given":
                returned = next(each.value for each in node.body if isinstance(each, ast.Return))
                assert isinstance(returned, ast.Dict)
                given = {str(key.value) for key in returned.keys if isinstance(key, ast.Constant)}
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"page", "render_template"}:
                passed |= {(path.name, each.arg) for each in node.keywords if each.arg}
    assert {"me", "now", "unread_notices"} <= given
    assert {each for each in passed if each[1] in given} == set()
