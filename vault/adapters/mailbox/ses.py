"""Mail as SES delivers it: a notification in an SQS queue that names an object in an S3 bucket.

The receipt rule has one S3 action with a topic, and the queue subscribes to the topic, raw or not
(https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html). Decided here: an object is read
only from the bucket and below the prefix of the settings, and no further than a message may be large; a notification
is deleted after its object was, and that only once the mail is kept, so a second delivery finds either. What is no such
notification stays in the queue: its redrive policy puts it aside. The rights that this takes: ``sqs:ReceiveMessage``
and ``sqs:DeleteMessage`` on the queue; ``s3:GetObject`` and ``s3:DeleteObject`` on the objects, ``s3:ListBucket`` so
that a missing one is told from a forbidden one. The bucket keeps no versions: it held resets in plain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from vault.adapters.aws import checked_endpoint, client_config, code_of
from vault.domain.ids import is_email
from vault.errors import Refused, Unavailable
from vault.ports.mail import Delivered

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

BATCH: Final = 10
WAIT_MOST: Final = 20
"""Longest wait of SQS for a message."""
HIDDEN: Final = 120
"""Seconds in which a message that was taken is nobody else's."""
_BUCKET: Final = re.compile(
    r"(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[!-~]{0,512}))?", re.ASCII
)
_REGION: Final = re.compile(r"sqs\.([a-z0-9-]{1,40})\.amazonaws\.com(?:\.cn)?")
_ID: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
_RECIPIENTS_MOST: Final = 100
_NOT_THERE: Final = frozenset({"NoSuchKey", "404", "NotFound"})


class _NotOurs(Exception):
    """A message of the queue is no notification of ours."""


@dataclass(slots=True)
class SesQueue:
    """Implements `MailQueue`."""

    queue: str
    bucket: str
    message_bytes: int
    endpoint: str = ""
    region: str = ""
    _bad: int = 0
    _clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = _BUCKET.fullmatch(self.bucket)
        if named is None:
            raise Refused(
                "settings.invalid", "mailbox.bucket is BUCKET or BUCKET/PREFIX.", setting="mailbox.bucket"
            )
        address = urlsplit(self.queue)
        if address.scheme not in {"https", "http"} or not address.hostname or not address.path.strip("/"):
            raise Refused("settings.invalid", "mailbox.queue is the queue's URL.", setting="mailbox.queue")
        found = _REGION.fullmatch(address.hostname)
        self.region = self.region or ("us-east-1" if found is None else found.group(1))
        checked_endpoint(self.endpoint)

    def take(self, seconds: int) -> tuple[Delivered, ...]:
        """Wait at most so long for messages; raise `Unavailable` mailbox.unavailable.

        What cannot be read as a notification of ours is left in the queue, for its dead-letter queue.
        """
        answer = self._ask(
            "queue",
            lambda: self._sqs.receive_message(
                QueueUrl=self.queue,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=min(seconds, WAIT_MOST),
                VisibilityTimeout=HIDDEN,
            ),
        )
        return tuple(self._delivered(answer.get("Messages", [])))

    def done(self, delivered: Delivered) -> None:
        """Delete the object, then the message; raise `Unavailable` mailbox.unavailable."""
        bucket = self._named["bucket"]
        self._ask("bucket", lambda: self._s3.delete_object(Bucket=bucket, Key=delivered.place))
        self._ask(
            "queue",
            lambda: self._sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=delivered.handle),
        )

    def bad(self) -> int:
        """Give how many notifications could not be read since the start."""
        return self._bad

    def _delivered(self, messages: Any) -> Iterator[Delivered]:
        for message in messages:
            try:
                source, recipients, receipt, key = self._notified(str(message.get("Body", "")))
            except (_NotOurs, ValueError, RecursionError):
                self._bad += 1
                continue
            yield Delivered(
                str(message["ReceiptHandle"]), source, recipients, receipt, self._object(key), key
            )

    def _notified(self, body: str) -> tuple[str, tuple[str, ...], Mapping[str, object], str]:
        """Read a notification: SES's id of the mail, its addresses, the receipt, and the object's key."""
        told = json.loads(body)
        if isinstance(told, dict) and isinstance(told.get("Message"), str):
            told = json.loads(told["Message"])  # SNS's own envelope, where delivery is not raw
        mail, receipt = _member(told, "mail"), _member(told, "receipt")
        action = _member(receipt, "action")
        named = self._named
        prefix = (named["prefix"] or "").strip("/")
        key, source = action.get("objectKey"), mail.get("messageId")
        recipients = receipt.get("recipients")
        if (
            told.get("notificationType") != "Received"
            or action.get("type") != "S3"
            or action.get("bucketName") != named["bucket"]
            or not isinstance(key, str)
            or not key.startswith(f"{prefix}/" if prefix else "")
            or not isinstance(source, str)
            or _ID.fullmatch(source) is None
            or not isinstance(recipients, list)
            or len(recipients) > _RECIPIENTS_MOST
        ):
            raise _NotOurs
        ours = tuple(each for each in recipients if isinstance(each, str) and is_email(each))
        return source, ours, receipt, key

    def _object(self, key: str) -> bytes | None:
        bucket = self._named["bucket"]

        def read() -> bytes:
            with self._s3.get_object(Bucket=bucket, Key=key)["Body"] as body:
                return body.read(self.message_bytes + 1)[: self.message_bytes]

        try:
            return self._ask("bucket", read, absent=True)
        except KeyError:
            return None

    @property
    def _named(self) -> re.Match[str]:
        named = _BUCKET.fullmatch(self.bucket)
        assert named is not None  # noqa: S101 - looked at when it was made
        return named

    @property
    def _sqs(self) -> Any:
        return self._client("sqs")

    @property
    def _s3(self) -> S3Client:
        made: S3Client = self._client("s3")
        return made

    def _client(self, name: str) -> Any:
        if name not in self._clients:
            make: Any = boto3.session.Session().client
            self._clients[name] = make(
                name,
                region_name=self.region,
                endpoint_url=checked_endpoint(self.endpoint),
                config=client_config(WAIT_MOST + 10.0),
            )
        return self._clients[name]

    def _ask(self, what: str, ask: Callable[[], T], *, absent: bool = False) -> T:
        try:
            return ask()
        except (ClientError, BotoCoreError) as failure:
            code = code_of(failure)
            if absent and code in _NOT_THERE:
                raise KeyError(code) from None
            words = f"The {what} that mail is taken from does not answer as it should ({code})."
            raise Unavailable("mailbox.unavailable", words, cause=code) from None


def _member(told: Any, name: str) -> Mapping[str, Any]:
    found = told.get(name) if isinstance(told, dict) else None
    if not isinstance(found, dict):
        raise _NotOurs
    return found
