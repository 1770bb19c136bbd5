"""One OpenID provider: where to send a browser, and whether what comes back with it is genuine.

    browser ──authorization endpoint──► provider ──code──► browser ──► us ──token endpoint (code, PKCE verifier)──►
    ID token: signed by a key of jwks_uri; iss, aud, azp, exp, iat, nonce, at_hash ──► subject and groups

OpenID Connect Core 1.0 section 3.1 (code flow), Discovery 1.0, PKCE with S256 (RFC 7636), `iss` beside the code
against mix-up (RFC 9207), private_key_jwt (RFC 7523). Decided here: which algorithms count: signatures by a private
key alone, so that neither `none` nor a MAC under a public text can be one. Only the signed ID token is believed;
the userinfo endpoint is not asked. Never decided here: whose the subject is.
"""

from __future__ import annotations

import threading
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from vault.adapters.identity.asking import Asking, away
from vault.domain.identity import Claims, is_subject
from vault.errors import Unavailable
from vault.ports.identities import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vault.adapters.identity.secrets import Client
    from vault.ports.identities import Redemption

DISCOVERY: Final = "/.well-known/openid-configuration"
KEPT_SECONDS: Final = 3_600.0
"""How long the provider's own description and its keys are used before they are asked for again."""
AGAIN_SECONDS: Final = 30.0
"""How soon keys are asked for again because one is not among them."""
FAILED_SECONDS: Final = 10.0
"""How long nobody asks after the provider failed to answer."""
TURNS: Final = 2
"""Codes that are redeemed at once in a process."""
TURN_SECONDS: Final = 1.0
LEEWAY: Final = 60
"""Seconds that the provider's clock may be apart from ours."""
OLDEST: Final = 600
"""Seconds ago that an ID token may have been issued: one of this visit is younger."""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SHORTEST_KEY: Final = 256
"""Bytes of an RSA key's modulus (NIST SP 800-131A: 2048 bits)."""
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_GROUPS_MOST: Final = 1_000
_LABEL_MOST: Final = 120
_BROKEN: Final = (
    JoseError,
    AuthlibBaseError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)
"""What the libraries raise at an answer that is not as the standards say; a hostile one may break anything."""


@dataclass(slots=True)
class _Kept:
    """A document of the provider, and when it was fetched."""

    document: Any
    at: float


@dataclass(slots=True)
class OpenIdProvider:
    """Implements `IdentityProvider`; its description and keys are fetched when first needed, and kept an hour."""

    issuer: str
    client: Client
    redirect: str
    asking: Asking
    groups_claim: str = "groups"
    scopes: tuple[str, ...] = ()
    ticks: Callable[[], float] = time.monotonic
    _documents: dict[str, _Kept] = field(default_factory=dict, repr=False)
    _failed_at: float | None = None
    _asked: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _turns: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(TURNS), repr=False
    )

    def leave_for(self, state: str, nonce: str, verifier: str) -> str:
        """Give the address to send a browser to."""
        about = self.about()
        client = self._oauth(about)
        url, _ = client.create_authorization_url(
            about["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
        )
        return str(url)

    def redeem(self, came: Redemption, now: datetime) -> Claims | Rejected:
        """Give what the provider says of who came, if all of it is genuine."""
        about = self.about()
        if came.issuer is None and about.get("authorization_response_iss_parameter_supported") is True:
            return Rejected("no issuer beside the code")
        if came.issuer is not None and came.issuer != self.issuer:
            return Rejected("another issuer beside the code")
        if not self._turns.acquire(timeout=TURN_SECONDS):
            raise away("is slow, and others wait for it")
        try:
            answer = self._oauth(about).fetch_token(
                about["token_endpoint"],
                grant_type="authorization_code",
                code=came.code,
                code_verifier=came.verifier,
            )
        except Unavailable:
            raise
        except _BROKEN:
            return Rejected("the code was not accepted")
        finally:
            self._turns.release()
        if not isinstance(answer, dict) or str(answer.get("token_type", "")).lower() != "bearer":
            return Rejected("no token of the kind that is asked for")
        return self._read(answer.get("id_token"), answer.get("access_token"), came.nonce, now)

    def about(self) -> dict[str, Any]:
        """Give the provider's description of itself, checked; raise `Unavailable` without."""
        url = self.issuer.rstrip("/") + DISCOVERY
        return dict(self._fetched(url, self._checked, KEPT_SECONDS))

    def _fetched(self, url: str, check: Callable[[dict[str, Any]], Any], oldest: float) -> Any:
        """Give a document of the provider that is not older than `oldest` seconds.

        One thread at a time asks, and nobody for a while after it failed: a provider that hangs holds up one request
        and, for a moment, others, not the service. Meanwhile an older document serves.
        """
        kept = self._documents.get(url)
        if kept is not None and self.ticks() - kept.at <= oldest:
            return kept.document
        wait = TURN_SECONDS if kept is None else 0.0
        if self._has_failed() or not self._asked.acquire(timeout=wait):
            if kept is None:
                raise away("does not answer")
            return kept.document
        try:
            kept = self._documents.get(url, kept)
            if kept is not None and (self._has_failed() or self.ticks() - kept.at <= oldest):
                return kept.document
            if self._has_failed():
                raise away("does not answer")
            found = _Kept(check(self.asking.get(url)), self.ticks())
        except Unavailable:
            if not self._has_failed():
                self._failed_at = self.ticks()
            raise
        finally:
            self._asked.release()
        self._documents[url] = found
        self._failed_at = None
        return found.document

    def _has_failed(self) -> bool:
        return self._failed_at is not None and self.ticks() - self._failed_at < FAILED_SECONDS

    def _checked(self, document: dict[str, Any]) -> dict[str, Any]:
        if document.get("issuer") != self.issuer:
            raise away("calls itself by another name than oidc.issuer")
        for name in _ENDPOINTS:
            if not self.asking.is_ours(document.get(name)):
                raise away(f"names no {name}, or one at a host that oidc.hosts does not name")
        methods = document.get("code_challenge_methods_supported")
        if methods is not None and (not isinstance(methods, list) or "S256" not in methods):
            raise away("knows no PKCE with S256")
        return document

    def _oauth(self, about: dict[str, Any]) -> OAuth2Client:
        method = "private_key_jwt"
        if self.client.key is None:
            said = about.get("token_endpoint_auth_methods_supported")
            known = said if isinstance(said, list) else ["client_secret_basic"]
            is_basic = "client_secret_basic" in known or "client_secret_post" not in known
            method = "client_secret_basic" if is_basic else "client_secret_post"
        made = OAuth2Client(
            session=self.asking,
            client_id=self.client.client_id,
            client_secret=self.client.secret if self.client.key is None else self.client.key,
            token_endpoint_auth_method=method,
            scope=" ".join(dict.fromkeys(("openid", "email", *self.scopes))),
            redirect_uri=self.redirect,
            code_challenge_method="S256",
        )
        if self.client.key is not None:
            made.register_client_auth_method(
                PrivateKeyJWT(about["token_endpoint"], alg=self.client.algorithm)
            )
        return made

    def _read(self, id_token: object, access_token: object, nonce: str, now: datetime) -> Claims | Rejected:
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            return Rejected("no ID token")
        try:
            token = self._opened(id_token)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self.client.client_id},
                },
                params={"nonce": nonce, "client_id": self.client.client_id, "access_token": access_token},
            )
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
            is_old = now.timestamp() - float(claims["iat"]) > OLDEST
        except Unavailable:
            raise
        except _BROKEN as failure:
            return Rejected(_why(failure))
        if is_old:
            return Rejected("an ID token of another time")
        return self._claims(claims)

    def _opened(self, id_token: str) -> jwt.Token:
        """Open an ID token with the provider's keys; with new ones, if it names one that is not known yet."""
        try:
            return jwt.decode(id_token, self._key_set(), algorithms=list(ALGORITHMS))
        except InvalidKeyIdError:
            return jwt.decode(id_token, self._key_set(anew=True), algorithms=list(ALGORITHMS))

    def _key_set(self, *, anew: bool = False) -> KeySet:
        found = self._fetched(self.about()["jwks_uri"], _public, AGAIN_SECONDS if anew else KEPT_SECONDS)
        return cast("KeySet", found)

    def _claims(self, claims: CodeIDToken) -> Claims | Rejected:
        subject = claims.get("sub")
        if not isinstance(subject, str) or not is_subject(subject):
            return Rejected("no subject")
        said = claims.get(self.groups_claim)
        listed = said if isinstance(said, list) and len(said) <= _GROUPS_MOST else []
        groups = frozenset(each for each in listed if isinstance(each, str))
        shown = claims.get("email")
        if not isinstance(shown, str) or not shown.isprintable():
            shown = subject
        return Claims(subject, shown[:_LABEL_MOST], groups)


def _public(document: dict[str, Any]) -> KeySet:
    """Make a set of those keys that can check a signature; what is no key, or a shared one, is left out."""
    keys = document.get("keys")
    usable: list[Key] = []
    for each in keys if isinstance(keys, list) else []:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig":
            continue
        try:
            if each["kty"] == "EC":
                usable.append(ECKey.import_key(_told(each)))
            elif each["kty"] == "RSA" and len(urlsafe_b64decode(each["n"] + "==")) >= SHORTEST_KEY:
                usable.append(RSAKey.import_key(_told(each)))
        except _BROKEN:
            continue
    if not usable:
        raise away("has no keys that could check a signature")
    return KeySet(usable)


def _told(key: dict[str, Any]) -> dict[str, str | list[str]]:
    """Give what a key needs: no private part, whatever the provider published."""
    return {name: key[name] for name in ("kty", "crv", "x", "y", "n", "e", "kid", "alg") if name in key}


def _why(failure: BaseException) -> str:
    """Say in our words why an ID token does not count: the name of the error, and of the claim if it is one."""
    claim = getattr(failure, "claim", None)
    words = type(failure).__name__.removesuffix("Error")
    return f"ID token: {words}" + (f" {claim}" if isinstance(claim, str) and claim.isalnum() else "")
