"""The identity provider's side: what is genuine is believed, whatever a hostile one says is not.

The real provider's half of this port's promise is in `tests/web/ui/test_provider.py`, which runs one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.support.hostile_provider import CLIENT, CURVE, NONCE, OTHER, SECRET, SIGNER, Hostile, half_hash
from vault.adapters.identity import Client, OpenIdProvider, read_client
from vault.adapters.identity.asking import LONGEST, Asking, origin_of
from vault.domain.identity import Claims
from vault.errors import Refused, Unavailable
from vault.ports.identities import Redemption, Rejected

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VERIFIER = "v" * 43
GOOD = Claims("olga", "olga", frozenset({"vault-operators"}))


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with Hostile(NOW) as running:
        yield running


def ours(hostile: Hostile, client: Client | None = None, timeout: float = 5.0) -> OpenIdProvider:
    """Make our side."""
    asking = Asking(frozenset({origin_of(hostile.url)}), timeout=timeout)
    return OpenIdProvider(
        hostile.url, client or Client(CLIENT, SECRET), "https://vault.example/sign-in/answer", asking
    )


def redeemed(provider: OpenIdProvider, issuer: str | None = None, nonce: str = NONCE) -> Claims | Rejected:
    """Come back with a code."""
    return provider.redeem(Redemption("a code", nonce, VERIFIER, issuer), NOW)


def test_a_browser_is_sent_with_state_nonce_and_a_challenge_that_hides_the_verifier(hostile: Hostile) -> None:
    address = ours(hostile).leave_for("the state", NONCE, VERIFIER)
    sent = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    challenge = sent.pop("code_challenge")
    assert sent == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": "https://vault.example/sign-in/answer",
        "scope": "openid email",
        "state": "the state",
        "nonce": NONCE,
        "code_challenge_method": "S256",
    }
    assert VERIFIER not in address
    assert len(challenge) == 43


def test_a_genuine_answer_gives_subject_and_groups_and_the_code_travels_with_our_proof(
    hostile: Hostile,
) -> None:
    assert redeemed(ours(hostile)) == GOOD
    headers, body = hostile.sent[0]
    assert headers["Authorization"].startswith("Basic ")
    told = parse_qs(body)
    assert (told["code"], told["code_verifier"]) == (["a code"], [VERIFIER])
    assert SECRET not in body


def test_an_elliptic_curve_does_as_well(hostile: Hostile) -> None:
    hostile.keys.append(CURVE)
    hostile.answer(hostile.signed(CURVE, "ES256"))
    assert redeemed(ours(hostile)) == GOOD


@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_a_private_key_proves_us_in_place_of_a_secret(hostile: Hostile, tmp_path: Path, kind: str) -> None:
    key = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key("P-256")
    path = tmp_path / "client.pem"
    path.write_bytes(key.as_pem(private=True))
    path.chmod(0o600)
    assert redeemed(ours(hostile, read_client(CLIENT, None, path))) == GOOD
    proof = parse_qs(hostile.sent[0][1])["client_assertion"][0]
    claims = jwt.decode(proof, key, algorithms=["RS256", "ES256"]).claims
    assert (claims["iss"], claims["aud"]) == (CLIENT, f"{hostile.url}/token")


FALSE: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another client"},
    "several audiences, for another party": {"aud": [CLIENT, "b"], "azp": "b"},
    "several audiences, for no party": {"aud": [CLIENT, "b"]},
    "expired": {"exp": int(NOW.timestamp()) - 61},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "tomorrow"},
    "of tomorrow": {"iat": int(NOW.timestamp()) + 86_400},
    "of long ago": {"iat": int(NOW.timestamp()) - 3_600},
    "no beginning": {"iat": None},
    "not yet": {"nbf": int(NOW.timestamp()) + 600},
    "another nonce": {"nonce": "of another visit"},
    "no nonce": {"nonce": None},
    "a nonce that is a list": {"nonce": [NONCE]},
    "another access token's hash": {"at_hash": half_hash("another")},
    "a hash that is no text": {"at_hash": 7},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is a list": {"sub": ["olga"]},
    "a subject that cannot be one": {"sub": "olga\u202e"},
    "a subject that is too long": {"sub": "o" * 256},
}


@pytest.mark.parametrize("what", FALSE)
def test_false_claims_are_rejected(hostile: Hostile, what: str) -> None:
    hostile.answer(hostile.signed(**FALSE[what]))
    assert isinstance(redeemed(ours(hostile)), Rejected)


def test_the_nonce_is_that_of_the_visit(hostile: Hostile) -> None:
    assert isinstance(redeemed(ours(hostile), nonce="another"), Rejected)


def _tampered(hostile: Hostile) -> str:
    head, body, signature = hostile.signed().split(".")
    return f"{head}.{body[:-2]}AA.{signature}"


FORGED: dict[str, Callable[[Hostile], object]] = {
    "no signature": lambda hostile: hostile.unsigned(),
    "no signature in capitals": lambda hostile: hostile.unsigned("None"),
    "a MAC under the public key": lambda hostile: hostile.confused(),
    "a MAC under our secret": lambda hostile: hostile.signed(OctKey.import_key(SECRET * 2), "HS256"),
    "another's key": lambda hostile: hostile.signed(OTHER),
    "another's key under the right name": lambda hostile: jwt.encode(
        {"alg": "RS256", "kid": SIGNER.kid}, hostile.claims(), OTHER, algorithms=["RS256"]
    ),
    "changed after it was signed": _tampered,
    "no token": lambda _: None,
    "a number": lambda _: 7,
    "no parts": lambda _: "token",
    "garbage": lambda _: "a.b.c",
    "surrogates": lambda _: "\ud800.\ud800.\ud800",
    "deep": lambda _: "[" * 100_000,
    "encrypted": lambda _: "a.b.c.d.e",
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_forged_tokens_are_rejected(hostile: Hostile, what: str) -> None:
    hostile.answer(FORGED[what](hostile))
    assert isinstance(redeemed(ours(hostile)), Rejected)


@pytest.mark.parametrize(
    "document",
    [
        {"error": "invalid_grant"},
        {"error": ["x"], "error_description": {"a": 1}},
        {"access_token": "a", "token_type": "mac", "id_token": "x"},
        {"access_token": 7, "token_type": "Bearer", "id_token": "x"},
        {"token_type": "Bearer", "expires_in": "soon", "id_token": "x"},
        {"expires_at": [], "token_type": None},
    ],
)
def test_what_is_no_token_answer_is_rejected(hostile: Hostile, document: dict[str, object]) -> None:
    hostile.documents["/token"] = document
    assert isinstance(redeemed(ours(hostile)), Rejected)


def test_an_issuer_beside_the_code_has_to_be_ours(hostile: Hostile) -> None:
    provider = ours(hostile)
    assert redeemed(provider, issuer=hostile.url) == GOOD
    assert isinstance(redeemed(provider, issuer="https://elsewhere.example"), Rejected)
    assert len(hostile.sent) == 1  # the other's code went nowhere


def test_where_the_provider_says_that_it_names_itself_it_has_to(hostile: Hostile) -> None:
    about = {**hostile.about(), "authorization_response_iss_parameter_supported": True}
    hostile.documents["/.well-known/openid-configuration"] = about
    assert isinstance(redeemed(ours(hostile)), Rejected)
    assert redeemed(ours(hostile), issuer=hostile.url) == GOOD


def test_groups_are_a_list_of_texts_or_none_at_all(hostile: Hostile) -> None:
    for groups in ("vault-operators", {"vault-operators": 1}, ["x"] * 1_001, None):
        hostile.answer(hostile.signed(groups=groups))
        found = redeemed(ours(hostile))
        assert isinstance(found, Claims)
        assert found.groups == frozenset()


def test_new_keys_are_asked_for_once_where_a_token_names_one_that_is_not_known(hostile: Hostile) -> None:
    provider = ours(hostile)
    now = 1_000.0
    provider.ticks = lambda: now
    assert redeemed(provider) == GOOD
    hostile.keys[:] = [OTHER]
    hostile.answer(hostile.signed(OTHER))
    assert isinstance(redeemed(provider), Rejected)  # asked a moment ago
    assert hostile.asked.count("/keys") == 1
    now += 31
    assert redeemed(provider) == GOOD
    assert hostile.asked.count("/keys") == 2
    hostile.answer(hostile.signed(SIGNER))
    now += 31
    assert isinstance(redeemed(provider), Rejected)  # the old key does not count any more


def test_its_description_is_kept_for_an_hour(hostile: Hostile) -> None:
    provider = ours(hostile)
    now = 1_000.0
    provider.ticks = lambda: now
    for wait in (0, 3_599, 2):
        now += wait
        provider.leave_for("s", "n", VERIFIER)
    assert hostile.asked.count("/.well-known/openid-configuration") == 2


ELSEWHERE: dict[str, dict[str, Any]] = {
    "another name": {"issuer": "https://elsewhere.example"},
    "a name with a slash": {"issuer": "{}/"},
    "an endpoint elsewhere": {"token_endpoint": "https://elsewhere.example/token"},
    "keys elsewhere": {"jwks_uri": "https://elsewhere.example/keys"},
    "a sign-in elsewhere": {"authorization_endpoint": "https://elsewhere.example/authorize"},
    "another port": {"token_endpoint": "http://127.0.0.1:1/token"},
    "another scheme": {"token_endpoint": "file:///etc/passwd"},
    "a name before the host": {"token_endpoint": "{}@elsewhere.example/token"},
    "an endpoint that is no text": {"token_endpoint": 7},
    "no endpoint": {"token_endpoint": None},
    "no PKCE": {"code_challenge_methods_supported": ["plain"]},
    "PKCE that is no list": {"code_challenge_methods_supported": 7},
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_a_provider_that_leads_elsewhere_is_not_used(hostile: Hostile, what: str) -> None:
    changed = {
        name: value.format(hostile.url) if isinstance(value, str) else value
        for name, value in ELSEWHERE[what].items()
    }
    hostile.documents["/.well-known/openid-configuration"] = {**hostile.about(), **changed}
    with pytest.raises(Unavailable) as caught:
        ours(hostile).leave_for("s", "n", VERIFIER)
    assert caught.value.code == "identity.unavailable"
    assert hostile.asked == ["/.well-known/openid-configuration"]


BROKEN = {
    "a redirect": (302, {"Location": "http://127.0.0.1:1/"}, b"{}"),
    "a fault": (503, {}, b"{}"),
    "not found": (404, {}, b"{}"),
    "no JSON": (200, {}, b"<html>"),
    "no object": (200, {}, b"[]"),
    "deep": (200, {}, b"[" * 100_000),
    "huge": (200, {}, b'{"a": "' + b"x" * LONGEST + b'"}'),
    "cut short": (200, {"Content-Length": "9999"}, b"{}"),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys"])
def test_broken_documents_make_the_provider_unavailable(hostile: Hostile, what: str, path: str) -> None:
    hostile.raw[path] = BROKEN[what]
    with pytest.raises(Unavailable):
        redeemed(ours(hostile, timeout=1.0))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"keys": 7},
        {"keys": []},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        {"keys": [{"kty": "RSA"}, 7, None, {"kty": "EC", "crv": "none"}]},
        {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]},
    ],
)
def test_keys_that_cannot_check_a_signature_are_no_keys(hostile: Hostile, keys: dict[str, object]) -> None:
    hostile.documents["/keys"] = keys or {"none": True}
    with pytest.raises(Unavailable):
        redeemed(ours(hostile))


def test_a_provider_that_hangs_holds_up_one_request_and_not_for_long(hostile: Hostile) -> None:
    hostile.hang = threading.Event()
    provider = ours(hostile, timeout=0.5)
    waited: list[float] = []

    def leave() -> None:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            provider.leave_for("s", "n", VERIFIER)
        waited.append(time.monotonic() - began)

    threads = [threading.Thread(target=leave) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(waited) < 2
    leave()  # for ten seconds nobody asks again, or waits
    assert waited[-1] < 0.3
    assert len(hostile.asked) == 1


def test_two_codes_at_once_are_enough_to_wait_for(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.adapters.identity.provider.TURN_SECONDS", 0.05)
    provider = ours(hostile, timeout=1.0)
    provider.about()
    hostile.hang = threading.Event()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(redeemed(provider))) for _ in "ab"]
    for thread in threads:
        thread.start()
    while hostile.asked.count("/token") < 2:
        time.sleep(0.005)
    with pytest.raises(Unavailable, match="others wait"):
        redeemed(provider)
    hostile.hang.set()
    for thread in threads:
        thread.join()
    assert found == [GOOD, GOOD]


def test_a_provider_that_is_not_there_is_told_as_such() -> None:
    asking = Asking(frozenset({"http://127.0.0.1:1"}))
    provider = OpenIdProvider("http://127.0.0.1:1", Client(CLIENT, SECRET), "https://v.example/", asking)
    with pytest.raises(Unavailable) as caught:
        provider.leave_for("s", "n", VERIFIER)
    assert (caught.value.code, caught.value.retry_after) == ("identity.unavailable", 60)


@pytest.mark.parametrize("text", [b"", b"short", b"two words of a long secret", b"\xff" * 32])
def test_a_secret_that_cannot_be_one_ends_the_start_and_is_not_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(Refused) as caught:
        read_client(CLIENT, path, None)
    assert "two words" not in str(caught.value)
    with pytest.raises(Refused):
        read_client(CLIENT, None, path)


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("a secret of some length")
    path.chmod(0o644)
    with pytest.raises(Refused):
        read_client(CLIENT, path, None)


def test_the_client_tells_its_secret_to_nobody() -> None:
    assert SECRET not in repr(Client(CLIENT, SECRET))


def test_an_address_that_is_not_configured_is_never_asked(hostile: Hostile) -> None:
    asking = Asking(frozenset({"https://id.example:443"}))
    for url in (
        hostile.url + "/keys",
        f"{hostile.url}/keys#@id.example",
        "https://id.example:444/",
        "",
        "id.example",
    ):
        with pytest.raises(Unavailable, match="do not name"):
            asking.get(url)
    assert hostile.asked == []
