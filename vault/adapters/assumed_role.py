"""A session of a role of ours in an account, by boto3: assumed for minutes, and kept no longer than one piece of work.

Decided here: the role is assumed for a quarter of an hour with the customer's external id and a source identity (STS
AssumeRole), so that AWS's own records name who asked.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3

from vault.adapters.aws import checked_endpoint, client_config, fresh_session
from vault.domain.inspection import Reason, Unknown

if TYPE_CHECKING:
    from vault.adapters.inspection.asking import Asker

HOME: Final = "us-east-1"
"""Where IAM, Organizations, Account Management and the session of a role are asked."""
SESSION_SECONDS: Final = 900
READ_SECONDS: Final = 10.0
_NAME: Final = re.compile(r"[^A-Za-z0-9+=,.@-]", re.ASCII)


@dataclass(slots=True)
class Assumed:
    """Clients under one session, each made once; may be asked for by several threads."""

    session: boto3.session.Session = field(repr=False)
    endpoint: str | None
    made: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def client(self, service: str, region: str = HOME) -> Any:
        """Give a client."""
        with self.lock:  # boto3: making clients is not for several threads at once, using them is
            if (service, region) not in self.made:
                make: Callable[..., Any] = self.session.client
                self.made[service, region] = make(
                    service,
                    region_name=region,
                    endpoint_url=self.endpoint,
                    config=client_config(READ_SECONDS),
                )
            return self.made[service, region]


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the same name in each account; `external_id` may hold `{ddi}`, `session_name` is what AWS records."""

    name: str
    external_id: str
    endpoint: str
    session_name: str

    def assume(self, account_id: str, ddi: str, source: str, asker: Asker) -> Assumed | Unknown:
        """Take it on in an account, in the name of `source`; `Unknown` NO_ROLE where AWS does not let us."""
        endpoint = checked_endpoint(self.endpoint)
        external = self.external_id.replace("{ddi}", ddi)
        asked: dict[str, Any] = {
            "RoleArn": f"arn:aws:iam::{account_id}:role/{self.name}",
            "RoleSessionName": self.session_name,
            "SourceIdentity": _NAME.sub("-", source)[:64],
            "DurationSeconds": SESSION_SECONDS,
            **({"ExternalId": external} if external else {}),
        }
        own = Assumed(fresh_session(), endpoint)
        answer = asker.answer(lambda: own.client("sts").assume_role(**asked))
        if isinstance(answer, Unknown):
            return Unknown(Reason.NO_ROLE, answer.code) if answer.reason is Reason.DENIED else answer
        given = answer.value.get("Credentials", {})
        try:
            session = fresh_session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        except KeyError:
            return Unknown(Reason.UNREADABLE)
        return Assumed(session, endpoint)
