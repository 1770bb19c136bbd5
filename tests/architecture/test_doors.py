"""`Secret.expose()` is the one door of a secret (ARCHITECTURE rule 2): whoever opens it is named here, and why."""

from __future__ import annotations

import ast
from typing import Final

from tests.support.repository import ROOT

DOORS: Final = {
    "vault/adapters/kms.py": "a data key goes to KMS to be wrapped",
    "vault/adapters/local_keys.py": "a data key is wrapped by a local key",
    "vault/adapters/offboarding/membership.py": "a code that AWS mailed to the customer goes back to AWS",
    "vault/adapters/passwords.py": "a person's password is hashed",
    "vault/adapters/server_key.py": "the server's key is written to its file",
    "vault/cli/admin/demo/__init__.py": "the demo's people are shown to who plays them",
    "vault/cli/admin/demo/afterwards.py": "the customer of the story types the code that they were told",
    "vault/cli/admin/demo/cast.py": "the demo's people have made-up devices",
    "vault/cli/admin/demo/console.py": "the demo's AWS is given what the vault shows",
    "vault/cli/admin/demo/mailroom.py": "the story compares the link that it reads with the one that was sent",
    "vault/cli/admin/demo/state.py": "the demo is kept, to be gone on with",
    "vault/cli/admin/init.py": "the first enrolment links are printed",
    "vault/cli/admin/recover.py": "values of a backup go where who has three shares wants them",
    "vault/cli/admin/recovery.py": "shares are handed out, one to a person",
    "vault/crypto/envelope.py": "a value is sealed",
    "vault/crypto/local.py": "a value is sealed under the server's key",
    "vault/crypto/password.py": "a password is held against the rules",
    "vault/crypto/recovery.py": "a data key is wrapped for the recovery recipient, shares are joined",
    "vault/crypto/sameness.py": "values of one run are compared",
    "vault/crypto/totp.py": "a code is computed, a seed is read",
    "vault/services/customer_letter.py": "a link goes into the letter to whom it is for",
    "vault/services/custody.py": "a password's length and characters are looked at",
    "vault/services/federation.py": "what a browser takes along to a provider is made into what it hides",
    "vault/services/links.py": "a link is fingerprinted",
    "vault/services/mail_assigning.py": "mail to no account is sealed anew for one, or goes to its ticket",
    "vault/services/mail_opening.py": "a sealed mail is parted into what is shown of it",
    "vault/services/signin.py": "a cookie is fingerprinted",
    "vault/services/tokens.py": "a token is fingerprinted",
    "vault/web/api/accounts.py": "a one-time code goes to the use case",
    "vault/web/api/campaigns.py": "a one-time code goes to the use case",
    "vault/web/api/case_words.py": "the caller's own code of a word on many accounts, to the use case",
    "vault/web/api/cases.py": "a one-time code goes to the use case",
    "vault/web/api/checkouts.py": "a one-time code goes to the use case",
    "vault/web/api/emergency.py": "a one-time code goes to the use case",
    "vault/web/api/handovers.py": "a one-time code goes to the use case",
    "vault/web/api/closures.py": "a one-time code goes to the use case",
    "vault/web/api/keyless.py": "a one-time code goes to the use case",
    "vault/web/api/keys.py": "a one-time code goes to the use case",
    "vault/web/api/leaving.py": "a one-time code goes to the use case",
    "vault/web/api/mail.py": "a one-time code goes to the use case",
    "vault/web/api/people.py": "a one-time code goes to the use case",
    "vault/web/api/policy.py": "a one-time code goes to the use case",
    "vault/web/api/proposals.py": "a one-time code goes to the use case",
    "vault/web/api/recipient.py": "a one-time code goes to the use case",
    "vault/web/api/schemas/base.py": "a secret goes into an answer",
    "vault/web/api/releases.py": "a one-time code goes to the use case",
    "vault/web/api/tokens.py": "a one-time code goes to the use case",
    "vault/web/auth.py": "a session goes into its cookie",
    "vault/web/ui/disclose.py": "a value goes into the page that shows it",
    "vault/web/ui/provider.py": "what comes back from a provider is known by a cookie",
}


def test_only_those_named_open_a_secret() -> None:
    found = {
        str(path.relative_to(ROOT))
        for room in ("vault", "audit")
        for path in (ROOT / room).rglob("*.py")
        if _opens(path.read_text("utf-8"))
    }
    assert found == DOORS.keys()


def test_the_finder_finds() -> None:
    assert _opens("value = secret.expose()")
    assert _opens("door = secret.expose")
    assert not _opens("def expose(self): ...")


def _opens(source: str) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr == "expose" for node in ast.walk(ast.parse(source))
    )
