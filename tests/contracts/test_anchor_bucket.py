"""A bucket with Object Lock as anchor and copy, behind moto over HTTP: what is kept, compared, found and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from audit.checkpoint import Checkpoint
from audit.note import Signer
from tests.support.builders import ORIGIN, SIGNER
from tests.support.places import Cloud, cloud
from tests.support.world import HandClock
from vault.adapters.anchors.bucket import Bucket, BucketAnchor, BucketCopy
from vault.adapters.anchors.reading import Ours
from vault.errors import Refused
from vault.ports.anchors import AnchorFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OURS = Ours((SIGNER.verifier,))


class NoSource:
    """A source that nobody asks."""

    def size(self) -> int:
        """Fail the test."""
        raise AssertionError("asked for the size")

    def consistency(self, old: int, new: int) -> Sequence[bytes]:
        """Fail the test."""
        raise AssertionError(f"asked for {old} to {new}")


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture
def place(aws: Cloud) -> Bucket:
    return Bucket(aws.bucket(), "log/", 30, OURS, HandClock(), aws.url, "us-east-1")


def note(size: int, root: bytes = bytes(32), signer: Signer = SIGNER) -> str:
    return signer.sign(Checkpoint(ORIGIN, size, root).format())


def key(size: int) -> str:
    return f"log/checkpoints/{size:020}"


def test_a_checkpoint_is_kept_under_lock_and_confirmed_again(aws: Cloud, place: Bucket) -> None:
    anchor = BucketAnchor(place)
    first = anchor.confirm(note(7), 0, NoSource())
    assert anchor.confirm(note(7), 7, NoSource()) == first
    assert first.evidence.startswith(f"s3://{place.bucket}/{key(7)} version ")
    versions = aws.client().list_object_versions(Bucket=place.bucket)["Versions"]
    assert [each["Key"] for each in versions] == [key(7)]
    facts = aws.client().head_object(Bucket=place.bucket, Key=key(7))
    assert facts["ObjectLockMode"] == "COMPLIANCE"
    assert (facts["ObjectLockRetainUntilDate"] - place.clock.now()).days == 30
    with pytest.raises(ClientError, match="AccessDenied"):
        aws.client().delete_object(Bucket=place.bucket, Key=key(7), VersionId=versions[0]["VersionId"])


def test_more_signatures_under_the_same_checkpoint_are_the_same_checkpoint(place: Bucket) -> None:
    anchor = BucketAnchor(place)
    anchor.confirm(note(7), 0, NoSource())
    more = note(7) + Signer.generate(f"{ORIGIN}/kms").line(Checkpoint(ORIGIN, 7, bytes(32)).format())
    assert key(7) in anchor.confirm(more, 7, NoSource()).evidence


def test_another_checkpoint_of_the_same_size_is_shown(place: Bucket) -> None:
    anchor = BucketAnchor(place)
    anchor.confirm(note(7), 0, NoSource())
    with pytest.raises(AnchorFailed, match="rewritten") as failed:
        anchor.confirm(note(7, b"x" * 32), 0, NoSource())
    assert failed.value.notes == (note(7),)


def test_a_delete_marker_hides_nothing(aws: Cloud, place: Bucket) -> None:
    anchor = BucketAnchor(place)
    anchor.confirm(note(7), 0, NoSource())
    aws.client().delete_object(Bucket=place.bucket, Key=key(7))
    assert tuple(anchor.latest(3)) == (note(7),)
    with pytest.raises(AnchorFailed) as failed:  # the marker made room for another one of this name
        anchor.confirm(note(7, b"x" * 32), 0, NoSource())
    assert failed.value.notes == (note(7),)
    assert set(anchor.latest(3)) == {note(7), note(7, b"x" * 32)}


def test_what_bears_another_signature_is_not_ours(aws: Cloud, place: Bucket) -> None:
    anchor = BucketAnchor(place)
    stranger = note(7, signer=Signer.generate(ORIGIN))
    aws.client().put_object(Bucket=place.bucket, Key=key(7), Body=stranger.encode())
    with pytest.raises(AnchorFailed, match="something else") as failed:
        anchor.confirm(note(7), 0, NoSource())
    assert failed.value.notes == ()
    assert anchor.latest(3) == ()
    anchor.confirm(note(8), 0, NoSource())
    for name in (key(9), key(10**19), "log/checkpoints/zzz", "log/checkpoints/00000000000000000008x"):
        aws.client().put_object(Bucket=place.bucket, Key=name, Body=b"noise")
    assert tuple(anchor.latest(3)) == (note(8),)


def test_a_bucket_full_of_noise_is_told_and_hides_nothing(aws: Cloud, place: Bucket) -> None:
    anchor = BucketAnchor(place)
    anchor.confirm(note(7), 0, NoSource())
    for size in range(20):
        aws.client().put_object(Bucket=place.bucket, Key=key(10**15 + size), Body=b"noise")
    with pytest.raises(AnchorFailed, match="not ours"):
        anchor.latest(3)


@pytest.mark.parametrize("kept", [[1], [3, 900, 70_000], list(range(1, 20, 3))])
@pytest.mark.parametrize("near", [0, 5, 899, 70_000, 10**9])
def test_the_largest_is_found_from_wherever_one_begins(aws: Cloud, kept: list[int], near: int) -> None:
    place = Bucket(_filled(aws, tuple(kept)), "log/", 30, OURS, HandClock(), aws.url, "us-east-1")
    assert tuple(BucketAnchor(place).latest(near)) == (note(kept[-1]),)


_FILLED: dict[tuple[int, ...], str] = {}


def _filled(aws: Cloud, kept: tuple[int, ...]) -> str:
    if kept not in _FILLED:
        _FILLED[kept] = aws.bucket()
        place = Bucket(_FILLED[kept], "log/", 30, OURS, HandClock(), aws.url, "us-east-1")
        for size in kept:
            BucketAnchor(place).confirm(note(size), 0, NoSource())
    return _FILLED[kept]


def test_an_empty_bucket_keeps_nothing(place: Bucket) -> None:
    assert BucketAnchor(place).latest(12) == ()


def test_a_bucket_without_lock_or_versions_is_refused(aws: Cloud) -> None:
    open_bucket = Bucket(aws.bucket(locked=False), "", 30, OURS, HandClock(), aws.url, "us-east-1")
    with pytest.raises(AnchorFailed, match="keeps no versions"):
        BucketAnchor(open_bucket).latest(1)
    with pytest.raises(AnchorFailed, match="keeps no versions"):
        BucketAnchor(open_bucket).confirm(note(1), 0, NoSource())
    aws.client().put_bucket_versioning(
        Bucket=open_bucket.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    with pytest.raises(AnchorFailed, match="no Object Lock"):
        open_bucket.check()
    missing = Bucket("no-such-bucket-here", "", 30, OURS, HandClock(), aws.url, "us-east-1")
    with pytest.raises(AnchorFailed, match="NoSuchBucket"):
        missing.check()


def test_a_copy_is_put_once_and_compared_ever_after(aws: Cloud, place: Bucket) -> None:
    copy = BucketCopy(place)
    copy.put("tile/0/000", b"h" * 8192)
    copy.put("tile/0/000", b"h" * 8192)
    with pytest.raises(AnchorFailed, match="another"):
        copy.put("tile/0/000", b"i" * 8192)
    with pytest.raises(AnchorFailed, match="another"):
        copy.put("tile/0/000", b"h" * 8191)
    kept = aws.client().get_object(Bucket=place.bucket, Key="log/tile/0/000")["Body"].read()
    assert kept == b"h" * 8192
    assert len(aws.client().list_object_versions(Bucket=place.bucket)["Versions"]) == 1


def test_a_cloud_that_is_down_is_said_in_bounded_time(aws: Cloud, place: Bucket) -> None:
    anchor = BucketAnchor(place)
    anchor.confirm(note(7), 0, NoSource())
    aws.down()
    try:
        with pytest.raises(AnchorFailed, match="EndpointConnectionError"):
            anchor.latest(7)
    finally:
        aws.up()
    assert tuple(anchor.latest(7)) == (note(7),)


def test_the_environment_sends_nothing_elsewhere(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws.url)
    with pytest.raises(Refused, match="AWS_ENDPOINT_URL_S3"):
        Bucket("b", "", 30, OURS, HandClock(), "", "us-east-1").check()
