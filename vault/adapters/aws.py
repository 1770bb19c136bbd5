"""Clients of AWS for places outside: bounded in time, sent nowhere else by the environment, silent.

Decided here: what all of them share. As for keys, `AWS_ENDPOINT_URL` and a profile's endpoint are not followed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import create_loader

from vault.adapters.kms import check_endpoint, silence_botocore

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_TIMEOUT: Final = 3.0
READ_TIMEOUT: Final = 5.0
_DESCRIPTIONS: Final = create_loader()
"""AWS's descriptions of its services: large files, read once a process and not once a session."""


def client_config(read_timeout: float = READ_TIMEOUT) -> Config:
    """Give the settings of a client that tries once: who calls tries again later, and says so."""
    silence_botocore()
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        retries={"total_max_attempts": 1, "mode": "standard"},
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # the stubs lack it
        s3={"addressing_style": "auto"},
    )


def fresh_session(
    key: str | None = None, secret: str | None = None, token: str | None = None
) -> boto3.session.Session:
    """Make a session with these credentials, or with those that the process finds."""
    core = botocore.session.Session()
    core.register_component("data_loader", _DESCRIPTIONS)
    return boto3.session.Session(key, secret, token, botocore_session=core)


def checked_endpoint(endpoint: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Give the endpoint for boto3, None for AWS's own; raise `Refused` for what would go elsewhere."""
    check_endpoint(endpoint, os.environ if environment is None else environment)
    return endpoint or None


def code_of(failure: ClientError | BotoCoreError) -> str:
    """Give AWS's word for an error, or the name of what went wrong on the way."""
    if isinstance(failure, ClientError):
        return str(failure.response.get("Error", {}).get("Code", "")) or "error"
    return type(failure).__name__
