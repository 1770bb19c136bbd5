"""Mail as SES delivers it, from moto's S3 and SQS over HTTP: kept, then deleted, and known when it comes again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import boto3
import pytest

from tests.support.mailbox import ROOT, code, reset, with_mailbox
from tests.support.moto_kms import loopback_kms, made_up_credentials
from vault.adapters.mailbox.ses import SesQueue
from vault.cli.admin.mailbox import drain, take
from vault.domain.actor import Reach
from vault.domain.mail import MailWay, Verdict
from vault.errors import Refused, Unavailable
from vault.ports.store import Slice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World

BUCKET = "root-mail"
PASSED = {
    "spfVerdict": {"status": "PASS"},
    "dkimVerdict": {"status": "PASS"},
    "dmarcVerdict": {"status": "PASS"},
}


class Ses:
    """The test's hand on SES: it puts objects and notifications as SES does."""

    def __init__(self, url: str) -> None:
        words: dict[str, Any] = {"endpoint_url": url, "region_name": "us-east-1"}
        self.url = url
        self.s3, self.sqs = boto3.client("s3", **words), boto3.client("sqs", **words)
        self.s3.create_bucket(Bucket=BUCKET)
        self.queue = self.sqs.create_queue(QueueName="mail")["QueueUrl"]

    def deliver(self, raw: bytes, source: str = "ses-1", **changed: Any) -> None:
        """Deliver a mail."""
        key = f"in/{source}"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=raw)
        self.notify(source, key, **changed)

    def notify(self, source: str, key: str, *, wrapped: bool = True, **changed: Any) -> None:
        """Put a notification alone."""
        action = {"type": "S3", "bucketName": BUCKET, "objectKey": key} | changed.pop("action", {})
        receipt = {"recipients": [ROOT], "action": action, **PASSED} | changed
        told = json.dumps({"notificationType": "Received", "mail": {"messageId": source}, "receipt": receipt})
        body = json.dumps({"Type": "Notification", "Message": told}) if wrapped else told
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def left(self) -> tuple[int, int]:
        """Count objects and messages, hidden ones too."""
        told = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])["Attributes"]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = [int(each) for name, each in told.items() if name in names]
        objects = self.s3.list_objects_v2(Bucket=BUCKET).get("KeyCount", 0)
        return int(objects), sum(found)


@pytest.fixture
def ses() -> Iterator[Ses]:
    """Serve S3 and SQS."""
    with made_up_credentials(), loopback_kms() as url:
        urlopen(Request(f"{url}/moto-api/reset", method="POST")).close()  # noqa: S310 - our own server
        made = Ses(url)
        yield made
        for client in (made.s3, made.sqs):
            client.close()


@pytest.fixture
def house(quick_world: World) -> World:
    """Lend a vault with a mailbox and one account held."""
    quick_world.held()
    return with_mailbox(quick_world)


def queue_of(ses: Ses) -> SesQueue:
    """Make the adapter."""
    return SesQueue(ses.queue, f"{BUCKET}/in", 65_536, ses.url)


def test_it_is_kept_and_then_deleted(house: World, ses: Ses) -> None:
    ses.deliver(reset(said=""))
    ses.deliver(code(said=""), "ses-2", wrapped=False)
    assert drain(queue_of(ses), house.vault) == 2
    assert ses.left() == (0, 0)
    with house.vault.units.read() as unit:
        mails = unit.mail.page(Reach(everything=True), Slice(10)).items
    assert {(each.way, each.source, each.verdict) for each in mails} == {
        (MailWay.SES, "ses-1", Verdict.PASSED),
        (MailWay.SES, "ses-2", Verdict.PASSED),
    }
    assert all(each.is_sealed for each in mails)


def test_a_second_delivery_is_the_same_mail_also_when_its_object_is_gone(house: World, ses: Ses) -> None:
    ses.deliver(reset())
    queue = queue_of(ses)
    (delivered,) = queue.take(0)
    (first,) = house.vault.mailbox.take_along(delivered)  # and here it is killed
    ses.deliver(reset())
    assert take(queue, house.vault, 0) == 1
    ses.notify("ses-1", "in/ses-1")  # its object was deleted, and the message came once more
    assert take(queue, house.vault, 0) == 1
    with house.vault.units.read() as unit:
        assert [each.id for each in unit.mail.of_source(MailWay.SES, "ses-1")] == [first.id]


def test_what_is_not_ours_or_cannot_be_kept_stays(house: World, ses: Ses) -> None:
    queue = queue_of(ses)
    ses.sqs.send_message(QueueUrl=ses.queue, MessageBody="no json")
    ses.sqs.send_message(QueueUrl=ses.queue, MessageBody='{"Message": "[]"}')
    ses.notify("a", "in/a", action={"bucketName": "another"})
    ses.notify("b", "elsewhere/b")
    ses.notify("c", "in/c", action={"type": "Lambda"})
    ses.notify("d", "in/d", recipients="root")
    ses.notify("e", "in/never-there")
    assert take(queue, house.vault, 0) == 0
    assert (queue.bad(), ses.left()) == (6, (0, 7))
    full = with_mailbox(house, kept=0)
    ses.deliver(reset(), "f")
    assert take(queue, full.vault, 0) == 0
    assert ses.left() == (1, 8)


def test_addresses_of_none_of_our_domains_are_let_go(house: World, ses: Ses) -> None:
    ses.deliver(reset(), recipients=["a@elsewhere.example", ROOT, ROOT.upper(), 7])
    assert take(queue_of(ses), house.vault, 0) == 1
    with house.vault.units.read() as unit:
        assert len(unit.mail.of_source(MailWay.SES, "ses-1")) == 1


def test_no_more_is_read_than_a_mail_may_have(house: World, ses: Ses) -> None:
    ses.deliver(reset() + b"x" * 200_000)
    (delivered,) = queue_of(ses).take(0)
    assert len(delivered.raw or b"") == 65_536
    assert house.vault.mailbox.take_along(delivered)[0].size == 65_536


def test_what_does_not_answer_and_what_cannot_be_meant_is_said(ses: Ses) -> None:
    gone = SesQueue(f"{ses.queue}-gone", BUCKET, 65_536, ses.url)
    with pytest.raises(Unavailable, match="queue that mail is taken from"):
        gone.take(0)
    for queue, bucket in (("mail", BUCKET), (ses.queue, "s3://x"), ("ftp://x/y", BUCKET)):
        with pytest.raises(Refused):
            SesQueue(queue, bucket, 65_536)
