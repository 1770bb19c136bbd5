"""Every type of event as OCSF 1.8.0 has it: the table is whole, and each event has what its class requires.

What is required was copied out of the published schema by hand: https://schema.ocsf.io/1.8.0
"""

from __future__ import annotations

from typing import Any

import pytest

from audit.entry import write
from vault.domain.event import CATALOGUE, EventType, Result
from vault.domain.formats import Copied
from vault.domain.formats.ocsf import event
from vault.domain.formats.ocsf_table import CLASS_NAMES, OTHER, TABLE, Class

REQUIRED: dict[int, tuple[str, ...]] = {
    0: (),
    1008: ("actor", "device.type_id", "device.hostname", "log_name"),
    2004: ("finding_info.uid", "finding_info.title"),
    3001: ("user.uid",),
    3002: ("user.uid", "service.name"),
    3004: ("entity.uid",),
    3005: ("user.uid", "privileges"),
    6003: ("actor.user", "api.operation"),
}
"""What each class asks for beside what all have; of `src_endpoint` and others at least one member."""

ALWAYS = (
    "activity_id", "category_uid", "class_uid", "metadata.version", "metadata.product.vendor_name",
    "metadata.product.name", "severity_id", "time", "type_uid", "src_endpoint",
)  # fmt: skip
ACTIVITIES: dict[int, set[int]] = {
    0: {0, 99},
    1008: {*range(11), 99},
    2004: {0, 1, 2, 3, 99},
    3001: {*range(12), 99},
    3002: {*range(8), 99},
    3004: {*range(14), 99},
    3005: {0, 1, 2, 99},
    6003: {0, 1, 2, 3, 4, 99},
}
KNOWN = {
    "activity_id", "activity_name", "actor", "action_id", "api", "auth_factors", "category_name", "category_uid",
    "class_name", "class_uid", "cloud", "comment", "device", "disposition", "disposition_id", "entity",
    "finding_info", "is_alert", "is_mfa", "log_name", "message", "metadata", "privileges", "raw_data", "raw_data_hash",
    "resources", "service", "severity", "severity_id", "src_endpoint", "status", "status_detail", "status_id", "time",
    "type_uid", "unmapped", "user",
}  # fmt: skip
"""Attributes of the schema that are used; another one would be a slip of the pen."""


def made(kind: str, outcome: str = "success", **more: Any) -> Copied:
    """Make the smallest entry that the log takes, of the system, which has neither address nor session."""
    content: dict[str, Any] = {
        "v": 1,
        "log": "vault.test.example/audit",
        "seq": 7,
        "id": "2f0e6f0a-6ad4-4fd0-9f61-2f1f0e9a3c11",
        "time": "2026-11-21T02:41:49.000007Z",
        "type": kind,
        "outcome": outcome,
        "actor": {"id": "system:worker", "name": "worker", "kind": "system", "role": "system", "mfa": "none"},
        "req": "-",
        "app": {"host": "vault-1", "version": "1"},
        **more,
    }
    return Copied(7, write(content), 42)


def look_up(told: dict[str, Any], path: str) -> Any:
    """Find a member by its path."""
    found: Any = told
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def test_every_type_of_event_has_a_row() -> None:
    missing = sorted(set(CATALOGUE) - set(TABLE))
    assert not missing, f"add a row to vault/domain/formats/ocsf_table.py for {', '.join(missing)}"


@pytest.mark.parametrize("outcome", Result)
@pytest.mark.parametrize("kind", EventType)
def test_each_event_has_what_its_class_requires(kind: EventType, outcome: Result) -> None:
    account = {"id": "111122223333", "seq": 0}
    secret = {"id": "111122223333/mfa", "kind": "mfa", "version": 2, "ciphertext_sha256": "ab"}
    for more in (
        {},
        {"account": account, "secret": secret, "checkout": "c1", "reason": {"code": "BILL_ROOT"}},
    ):
        told = event(made(kind, outcome, **more))
        for path in (*ALWAYS, *REQUIRED[told["class_uid"]]):
            assert look_up(told, path) or look_up(told, path) == 0, path
        assert set(told) <= KNOWN
        assert told["type_uid"] == told["class_uid"] * 100 + told["activity_id"]
        assert told["category_uid"] == told["class_uid"] // 1000
        assert told["activity_id"] in ACTIVITIES[told["class_uid"]]
        assert told["activity_name"]
        assert told["severity_id"] in range(1, 7)
        assert told["metadata"]["sequence"] == 7
        assert told["metadata"]["event_code"] == kind
        assert ("cloud" in told) == ("account" in more) == ("cloud" in told["metadata"]["profiles"])
        if told.get("action_id") == 2:
            assert told["disposition_id"] in {2, 24, 25, 26}
        if outcome is not Result.SUCCESS and told["class_uid"] != Class.FINDING:
            assert told["status_id"] == (0 if outcome is Result.UNKNOWN else 2)


@pytest.mark.parametrize(
    ("kind", "type_uid", "severity"),
    [
        ("session.opened", 300201, 1),
        ("stepup.passed", 300206, 1),
        ("checkout.requested", 300599, 2),
        ("checkout.granted", 300501, 3),
        ("checkout.revoked", 300502, 4),
        ("secret.reveal.released", 300402, 4),
        ("rotation.accepted", 300103, 3),
        ("custody.held", 300406, 3),
        ("audit.viewed", 600302, 2),
        ("audit.exported", 100803, 2),
        ("log.opened", 100806, 2),
        ("service.stopped", 100807, 4),
        ("incident.opened", 200401, 6),
        ("policy.loaded", 300403, 4),
        ("person.disabled", 300105, 3),
    ],
)
def test_events_are_of_the_classes_that_are_documented(kind: str, type_uid: int, severity: int) -> None:
    told = event(made(kind))
    assert (told["type_uid"], told["severity_id"]) == (type_uid, severity)


def test_an_mfa_device_is_no_password() -> None:
    secret = {"id": "111122223333/mfa", "kind": "mfa", "version": 2, "ciphertext_sha256": "ab"}
    assert event(made("rotation.accepted", secret=secret))["type_uid"] == 300110


@pytest.mark.parametrize(
    ("kind", "outcome", "action", "disposition"),
    [
        ("checkout.approved", "success", 1, 8),
        ("checkout.rejected", "success", 2, 25),
        ("checkout.revoked", "success", 2, 24),
        ("access.denied", "denied", 2, 26),
        ("secret.reveal.refused", "denied", 2, 2),
        ("secret.reveal.released", "success", 1, 1),
    ],
)
def test_what_was_decided_is_told_as_a_security_control(
    kind: str, outcome: str, action: int, disposition: int
) -> None:
    told = event(made(kind, outcome))
    assert (told["action_id"], told["disposition_id"]) == (action, disposition)


def test_a_type_from_a_newer_program_is_a_base_event() -> None:
    told = event(made("something.new"))
    assert (told["class_uid"], told["type_uid"], told["activity_id"]) == (0, OTHER, OTHER)
    assert told["metadata"]["event_code"] == "something.new"


def test_every_class_has_a_name() -> None:
    assert set(CLASS_NAMES) == set(Class)
