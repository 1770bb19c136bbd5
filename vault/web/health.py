"""Whether the service lives, is ready, and how it fares: ``/healthz``, ``/readyz``, ``/metrics``.

Decided here: alive means that a worker answers; ready means that database and log can be read; keys that
do not answer make it *degraded*, because signing in, reading and checking in go on without them
(ARCHITECTURE rule 13); so does a log that no place outside has confirmed for too long, and a policy file that nobody
agreed to. Numbers are for this machine, or for who may export the log. Never told here: anything about a person, an
account or a key's name.

Under several workers the numbers are summed by prometheus_client's multiprocess mode, which `server`
sets up before this module is imported.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from vault.domain.event import stamp
from vault.domain.policy import Permission
from vault.errors import Unauthenticated, VaultError
from vault.web import auth, security
from vault.web.finding_numbers import FindingNumbers
from vault.web.guard import HEALTH, PUBLIC, needs
from vault.web.incident_numbers import IncidentNumbers
from vault.web.mail_numbers import MailNumbers
from vault.web.notice_numbers import NoticeNumbers
from vault.web.outlet_numbers import OutletNumbers
from vault.web.proof_numbers import ProofNumbers
from vault.web.review_numbers import ReviewNumbers

if TYPE_CHECKING:
    from vault.bootstrap import Vault
    from vault.ports.keys import KeyHealth, KeyService

KEYS_FRESH: Final = 10.0
"""Seconds for which an answer of the key service is believed, so that probes do not load it."""

blueprint = Blueprint("health", __name__)


@dataclass(slots=True)
class KeysSeen:
    """The last look at the keys; one request looks at a time, the others take what was last seen."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    at: float = float("-inf")
    seen: tuple[KeyHealth, ...] = ()

    def look(self, keys: KeyService) -> tuple[KeyHealth, ...]:
        """Give each key's health, not older than `KEYS_FRESH` seconds unless someone is looking now."""
        if time.monotonic() - self.at < KEYS_FRESH or not self.lock.acquire(blocking=not self.seen):
            return self.seen
        try:
            if time.monotonic() - self.at >= KEYS_FRESH:
                self.seen = keys.check()
                self.at = time.monotonic()
        finally:
            self.lock.release()
        return self.seen


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is counted; each application has its own registry."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram


def set_up(app: Flask) -> None:
    """Give the application its counters and these routes."""
    registry = CollectorRegistry()
    app.extensions["rootvault.numbers"] = Numbers(
        registry,
        Counter("rootvault_requests", "Requests answered.", ("method", "route", "status"), registry=registry),
        Histogram("rootvault_request_seconds", "Time to answer a request.", ("route",), registry=registry),
    )
    app.extensions["rootvault.keys"] = KeysSeen()
    app.register_blueprint(blueprint)


def count(response: Response) -> None:
    """Count an answer, by its route's template only."""
    numbers = cast("Numbers", current_app.extensions["rootvault.numbers"])
    method = request.method if request.url_rule is not None else "-"
    numbers.requests.labels(method, security.route(), str(response.status_code)).inc()
    numbers.seconds.labels(security.route()).observe(
        time.perf_counter() - g.get("began", time.perf_counter())
    )


@blueprint.get("/healthz")
@needs(HEALTH)
def alive() -> Response:
    """Answer that this worker lives."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
@needs(HEALTH)
def ready() -> Response:
    """Answer whether work can be done: ready, degraded (keys, anchors, policy), or unavailable (database or log)."""
    vault = auth.the_vault()
    try:
        with vault.units.read() as unit:
            unit.log.checkpoint()
        vault.book.refresh(vault.units)
        anchors = _anchors(vault)
    except VaultError as error:
        place = "log" if error.code.startswith("log.") else "database"
        response = jsonify(status="unavailable", **{place: error.code})
        response.status_code = 503
        return response
    seen = cast("KeysSeen", current_app.extensions["rootvault.keys"]).look(vault.keys)
    down = sum(1 for key in seen if not key.ok)
    policy = _policy(vault)
    told: dict[str, object] = {
        "status": "degraded" if down or anchors != "ok" or policy != "ok" else "ready",
        "database": "ok",
        "log": "ok",
        "keys": {"ok": len(seen) - down, "down": down},
        "policy": policy,
    }
    return jsonify(told | ({"anchors": anchors} if vault.anchored.is_asked else {}))


def _policy(vault: Vault) -> str:
    """Say whether the log proves what the rows say, and whether the host's file waits for two people."""
    if vault.book.fault:
        return "unproven"
    return "file waits" if vault.policies.file_state().waits else "ok"


def _anchors(vault: Vault) -> str:
    """Say whether places outside confirm the log, or since when none has, so that nothing is disclosed."""
    stopped = vault.places.stopped_since()
    return "ok" if stopped is None else f"unconfirmed since {stamp(stopped - vault.anchored.allowed)}"


@blueprint.get("/metrics")
@needs(PUBLIC)
def metrics() -> Response:
    """Give the numbers in Prometheus' text format, to this machine or to who may export the log."""
    actor = auth.visitor().actor
    if not security.is_local(g.client_ip):
        if actor is None:
            raise Unauthenticated(
                "auth.required", "Numbers are for this machine, or for a token with log.export."
            )
        vault = auth.the_vault()
        if vault.policy.reach(actor, Permission.LOG_EXPORT).empty:
            with vault.units.write() as unit:
                vault.gate.require(unit, actor, Permission.LOG_EXPORT, vault.clock.now())
    registry = cast("Numbers", current_app.extensions["rootvault.numbers"]).registry
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    own = CollectorRegistry()
    own.register(IncidentNumbers(auth.the_vault()))
    own.register(FindingNumbers(auth.the_vault()))
    own.register(ReviewNumbers(auth.the_vault()))
    own.register(OutletNumbers(auth.the_vault()))
    own.register(NoticeNumbers(auth.the_vault()))
    own.register(MailNumbers(auth.the_vault()))
    own.register(ProofNumbers(auth.the_vault()))
    return Response(generate_latest(registry) + generate_latest(own), content_type=CONTENT_TYPE_LATEST)
