"""Who is asking: the seam between a request and an actor, with flask-login as the place that holds it.

Decided here: a bearer token counts alone, a cookie beside it is not looked at; otherwise the token in
the signed session cookie is looked up on the server, so that what was signed out stays out whoever
copied the cookie (S17). flask-login's own user id, remember cookie and session protection are off: the
first survives a logout in a copied cookie, the second lasts a year, the third believes the left-most
X-Forwarded-For (SECURITY, traps). Never done here: checking a password.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, cast

from flask import Flask, Request, Response, current_app, g, request, session
from flask_login import LoginManager, current_user

from vault.domain.actor import Actor, IdempotencyKey, Origin
from vault.domain.secret import Secret
from vault.errors import Unauthenticated
from vault.services.guessing import ENTRIES_A_MINUTE, is_told, same_network
from vault.web.asked import asked

if TYPE_CHECKING:
    from vault.bootstrap import Vault
    from vault.domain.person import Person, Session, Token
    from vault.services.signin import SignedIn

TOKEN_KEY: Final = "t"  # noqa: S105 - the name of a field
DEVICE_SECONDS: Final = 180 * 86_400


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever sent the request: with an actor when known, without when not; what flask-login calls a user."""

    actor: Actor | None = None
    person: Person | None = None
    session: Session | None = None
    token: Token | None = None
    refused: bool = False
    """Whether a credential came and did not count."""

    @property
    def is_authenticated(self) -> bool:
        """Whether the visitor is known (flask-login's word)."""
        return self.actor is not None

    @property
    def is_active(self) -> bool:
        """As `is_authenticated`: who is disabled is not resolved at all."""
        return self.actor is not None

    @property
    def is_anonymous(self) -> bool:
        """The opposite of `is_authenticated`."""
        return self.actor is None

    def get_id(self) -> str | None:
        """Give no id: flask-login has nothing to put into a cookie."""
        return None


@dataclass(slots=True)
class Refusals:
    """How often each network came with a credential that did not count, in this minute and this worker."""

    minute: int = -1
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, network: str, now: float) -> int:
        """Count one more and give the sum; each minute begins anew, so that memory stays bounded."""
        with self.lock:
            if int(now // 60) != self.minute:
                self.minute = int(now // 60)
                self.counts.clear()
            self.counts[network] += 1
            return self.counts[network]


def set_up(app: Flask, vault: Vault) -> None:
    """Make flask-login ask us for each request, and remember nothing by itself."""
    app.extensions["rootvault"] = vault
    app.extensions["rootvault.refusals"] = Refusals()
    app.config["REMEMBER_COOKIE_NAME"] = "rootvault-never-remembered"
    manager = LoginManager()
    manager.session_protection = None
    manager.anonymous_user = Visitor
    manager.request_loader(_load)
    manager.init_app(app)


def the_vault() -> Vault:
    """Give the vault that this application serves."""
    return cast("Vault", current_app.extensions["rootvault"])


def visitor() -> Visitor:
    """Give whoever sent this request, known or not; looked up once."""
    return cast("Visitor", current_user._get_current_object())  # noqa: SLF001 - the documented way out of the proxy


def actor() -> Actor:
    """Give the actor of this request, with its origin and Idempotency-Key; raise `Unauthenticated` without."""
    found = visitor().actor
    if found is None:
        raise Unauthenticated(
            "auth.required", "Sign in first, or send a valid token as Authorization: Bearer."
        )
    key: IdempotencyKey | None = g.get("idempotency")
    wish = asked()
    if key is None and wish is None:
        return found
    return replace(found, origin=replace(found.origin, idempotency=key, asked=wish))


def origin() -> Origin:
    """Give where this request came from, for use cases that take no actor yet (signing in, enrolment)."""
    return Origin(request_id=g.request_id, ip=g.client_ip)


def agent() -> str:
    """Give what the browser calls itself, cut to what the log may keep."""
    text = request.headers.get("User-Agent", "")
    return "".join(character for character in text[:200] if " " <= character <= "~")


def bearer(incoming: Request) -> str | None:
    """Give the bearer token of a request (RFC 6750 section 2.1); an empty text where it is not one."""
    header = incoming.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def count_refusal() -> None:
    """Let the log know that a credential came which does not count; a flood of them is counted (S26).

    Counted in this worker's memory first: a question to the database for each would itself be the flood.
    A stale cookie is told once, for it is taken away.
    """
    session.pop(TOKEN_KEY, None)
    network = same_network(g.client_ip)
    count = cast("Refusals", current_app.extensions["rootvault.refusals"]).count(network, time.monotonic())
    if is_told(count):
        given = bearer(request)
        stray = the_vault().tokens.stray(Secret(given), g.allowed_ip) if given else None
        the_vault().signin.note_refusal(origin(), count if count > ENTRIES_A_MINUTE else 1, stray)


def by_cookie() -> bool:
    """Say whether the request stands on its cookies alone, and so has to prove its own site (CSRF)."""
    return bearer(request) is None


def open_session(signed: SignedIn) -> None:
    """Put a fresh sign-in into the cookie; whatever the cookie held before is dropped (no fixation)."""
    session.clear()
    session[TOKEN_KEY] = signed.token.expose()
    g.device = signed.device


def close_session() -> None:
    """End this request's session on the server, and empty the cookie."""
    found = visitor()
    if found.actor is not None and found.session is not None:
        the_vault().signin.end(found.actor, found.session)
    session.clear()


def device() -> str | None:
    """Give the token by which this browser was known before, if any."""
    return request.cookies.get(_device_cookie())


def send_device(response: Response) -> None:
    """Send the known-device cookie of a sign-in in this request."""
    token: Secret[str] | None = g.get("device")
    if token is not None:
        response.set_cookie(
            _device_cookie(),
            token.expose(),
            max_age=DEVICE_SECONDS,
            secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
            httponly=True,
            samesite="Strict",
        )


def _device_cookie() -> str:
    return str(current_app.config["SESSION_COOKIE_NAME"]) + "-device"


def _load(incoming: Request) -> Visitor:
    """Find who sent a request; never None, so that flask-login asks nobody else."""
    vault = the_vault()
    given = bearer(incoming)
    if given is not None:
        found = vault.tokens.resolve(Secret(given), g.allowed_ip) if given else None
        if found is None:
            return Visitor(refused=True)
        return Visitor(found.actor(origin()), found.person, token=found.token)
    cookie = session.get(TOKEN_KEY)
    if not isinstance(cookie, str):
        return Visitor()
    known = vault.signin.resolve(Secret(cookie))
    if known is None:
        return Visitor(refused=True)
    return Visitor(known.actor(origin()), known.person, session=known.session)
