r"""A bucket with Object Lock in COMPLIANCE mode: what is put there nobody can remove before its time, not even root.

    <prefix>checkpoints/<size, 20 digits>      the signed note
    <prefix>tile/<level>/<path>                 tiles of hashes (C2SP tlog-tiles)
    <prefix>tile/entries/<path>                 bundles of entries: with them the whole log is there

Each object is put only where none is (If-None-Match), with its SHA-256, and kept until `days` are over. A delete
marker hides an object and makes room for another one of its name: so *every version* of a name is looked at, never
only the latest. What bears our signature is believed, the rest is passed by; but two different checkpoints
of one size, both with our signature, tell of a fork.

Decided here: names, and what counts as kept. Never done here: removing, or reading what is not below the prefix.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from audit.note import LONGEST
from vault.adapters.aws import checked_endpoint, client_config, code_of
from vault.ports.anchors import AnchorFailed, Confirmation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_s3 import S3Client

    from audit.checkpoint import Checkpoint
    from vault.adapters.anchors.reading import Ours
    from vault.ports.anchors import Source
    from vault.ports.clock import Clock

T = TypeVar("T")

_DIGITS: Final = 20
_EXISTS: Final = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_LISTED: Final = 100
_STRANGE_MOST: Final = 16
"""Names, and versions of one name, with nothing of ours in them, before the bucket counts as spoilt."""


@dataclass(slots=True)
class Bucket:
    """One bucket and prefix; `region` is of AWS's usual chain where it is empty."""

    bucket: str
    prefix: str
    days: int
    ours: Ours
    clock: Clock
    endpoint: str = ""
    region: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _kept: S3Client | None = field(default=None, repr=False)
    _checked: bool = False

    def check(self) -> None:
        """Return if the bucket keeps versions and has Object Lock; raise `AnchorFailed` saying what to do."""
        if self._checked:
            return
        versions = self._ask(lambda s3: s3.get_bucket_versioning(Bucket=self.bucket))
        if versions.get("Status") != "Enabled":
            raise AnchorFailed(f"bucket {self.bucket} keeps no versions: enable versioning and Object Lock")
        try:
            lock = self._ask(lambda s3: s3.get_object_lock_configuration(Bucket=self.bucket))
        except AnchorFailed as failure:
            if "ObjectLockConfigurationNotFoundError" not in failure.words:
                raise
            lock = {}
        if lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise AnchorFailed(
                f"bucket {self.bucket} has no Object Lock: whoever may write there may remove. Enable it"
            )
        self._checked = True

    def put(self, key: str, content: bytes) -> tuple[str, datetime] | None:
        """Put an object where none is; give its version and how long it is kept, None where one is."""
        until = self.clock.now() + timedelta(days=self.days)
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")
        try:
            answer = self._ask(
                lambda s3: s3.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=content,
                    ContentType="application/octet-stream",
                    IfNoneMatch="*",
                    ObjectLockMode="COMPLIANCE",
                    ObjectLockRetainUntilDate=until,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=checksum,
                )
            )
        except _ExistsError:
            return None
        version = str(answer.get("VersionId", ""))
        if version in {"", "null"}:
            raise AnchorFailed(f"bucket {self.bucket} gave {key} no version: it keeps none")
        return version, until

    def versions(self, key: str, most: int = LONGEST) -> list[tuple[str, bytes]]:
        """Read every version of one name, also hidden ones: its id and its content, `most` bytes of it."""
        answer = self._ask(
            lambda s3: s3.list_object_versions(Bucket=self.bucket, Prefix=key, MaxKeys=_LISTED)
        )
        found = [str(each["VersionId"]) for each in answer.get("Versions", []) if each["Key"] == key]
        if len(found) > _STRANGE_MOST:
            raise AnchorFailed(
                f"bucket {self.bucket} keeps {len(found)} versions of {key}: ask who writes there"
            )
        return [(version, self._read(key, version, most)) for version in found]

    def locked_until(self, key: str, version: str) -> datetime | None:
        """Give until when a version cannot be removed by anybody; None where it can."""
        answer = self._ask(lambda s3: s3.head_object(Bucket=self.bucket, Key=key, VersionId=version))
        if answer.get("ObjectLockMode") != "COMPLIANCE":
            return None
        until: datetime | None = answer.get("ObjectLockRetainUntilDate")
        return until

    def names_from(self, folder: str, name: str) -> tuple[list[str], bool]:
        """Give the first names in a folder from `name` on, also hidden ones, and whether there are more."""
        below = f"{self.prefix}{folder}"
        marker = f"{below}{name[:-1]}{chr(ord(name[-1]) - 1)}~"  # before `name`, after whatever of ours is
        answer = self._ask(
            lambda s3: s3.list_object_versions(
                Bucket=self.bucket, Prefix=below, KeyMarker=marker, MaxKeys=_LISTED
            )
        )
        listed = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
        return sorted({str(each["Key"])[len(below) :] for each in listed}), bool(answer.get("IsTruncated"))

    def _read(self, key: str, version: str, most: int) -> bytes:
        def read(s3: S3Client) -> dict[str, Any]:
            with s3.get_object(Bucket=self.bucket, Key=key, VersionId=version)["Body"] as body:
                return {"content": body.read(most)}

        content: bytes = self._ask(read)["content"]
        return content

    def _ask(self, ask: Callable[[S3Client], Any]) -> Any:
        try:
            return ask(self._client())
        except (ClientError, BotoCoreError) as failure:
            code = code_of(failure)
            if code in _EXISTS:
                raise _ExistsError(f"bucket {self.bucket}: {code}") from None
            raise AnchorFailed(f"bucket {self.bucket}: {code}") from None

    def _client(self) -> S3Client:
        with self._lock:
            if self._kept is None:
                made: S3Client = boto3.session.Session().client(
                    "s3",
                    region_name=self.region or None,
                    endpoint_url=checked_endpoint(self.endpoint),
                    config=client_config(),
                )
                self._kept = made
            return self._kept


class _ExistsError(AnchorFailed):
    """There is an object of this name already."""


@dataclass(frozen=True, slots=True)
class BucketAnchor:
    """Implements `Anchor`: checkpoints in a locked bucket."""

    place: Bucket

    @property
    def name(self) -> str:
        """The outlet's name."""
        return f"bucket/{self.place.bucket}/{self.place.prefix}".rstrip("/")

    def confirm(self, note: str, position: int, source: Source) -> Confirmation:
        """Put the checkpoint where none of its size is, and look at every version that is there then."""
        del position, source
        mine = self.place.ours.checkpoint(note)
        if mine is None:
            raise AnchorFailed("the checkpoint to keep does not bear our own signature")
        self.place.check()
        key = f"{self.place.prefix}{_folder_name(mine.size)}"
        self.place.put(key, note.encode("utf-8"))
        kept = [(version, text) for version, text in self._signed(key) if version]
        self._agree(key, mine, [text for _, text in kept])
        for version, _ in kept:
            until = self.place.locked_until(key, version)
            if until is not None:
                return Confirmation(
                    f"s3://{self.place.bucket}/{key} version {version}, locked until {until:%Y-%m-%d}"
                )
        raise AnchorFailed(f"bucket {self.place.bucket} keeps {key} without a lock: anybody may remove it")

    def latest(self, near: int) -> Sequence[str]:
        """Find the largest size that is there with our signature; names with nothing of ours are passed by."""
        self.place.check()
        below: int | None = None
        for _ in range(_STRANGE_MOST):
            size = self._largest(near, below)
            if size is None:
                return ()
            notes = [text for _, text in self._signed(f"{self.place.prefix}{_folder_name(size)}")]
            ours = {found: text for text in notes if (found := self.place.ours.checkpoint(text)) is not None}
            if any(found.size == size for found in ours):
                return tuple(ours.values())
            below = size
        raise AnchorFailed(
            f"bucket {self.place.bucket} is full of checkpoints that are not ours: ask who writes"
        )

    def _signed(self, key: str) -> list[tuple[str, str]]:
        found = []
        for version, content in self.place.versions(key):
            text = content.decode("utf-8", "replace")
            if self.place.ours.checkpoint(text) is not None:
                found.append((version, text))
        return found

    def _agree(self, key: str, mine: Checkpoint, notes: list[str]) -> None:
        others = [text for text in notes if self.place.ours.checkpoint(text) != mine]
        if others:
            words = (
                f"bucket {self.place.bucket} keeps another checkpoint of ours as {key}: the log was rewritten"
            )
            raise AnchorFailed(words, *others)
        if not notes:
            words = (
                f"bucket {self.place.bucket} has something else in the place of {key}: ask who put it there"
            )
            raise AnchorFailed(words)

    def _largest(self, near: int, below: int | None) -> int | None:
        """Find the largest size below `below` for which there is a name, in steps from `near` that double."""
        top = 10**_DIGITS if below is None else below
        high, width = min(near, top), 1
        low = self._at_least(high, top)
        if low is not None:
            while (found := self._at_least(low + width, top)) is not None:
                low, width = found, 2 * width
            high = min(low + width, top)
        else:
            while low is None:
                if high == 0:
                    return None
                probe = max(0, high - width)
                low = self._at_least(probe, high)
                high, width = (probe, 2 * width) if low is None else (high, width)
        while low + 1 < high:  # there is one at low, and none from high on
            middle = (low + high) // 2
            found = self._at_least(middle, high)
            low, high = (low, middle) if found is None else (found, high)
        return low

    def _at_least(self, size: int, top: int) -> int | None:
        """Give the smallest size from `size` below `top` for which there is a name."""
        if size >= top:
            return None
        names, are_more = self.place.names_from("checkpoints/", f"{size:0{_DIGITS}}")
        sizes = [int(name) for name in names if len(name) == _DIGITS and name.isascii() and name.isdigit()]
        if not sizes and are_more:
            raise AnchorFailed(
                f"bucket {self.place.bucket} is full of names that are not ours: ask who writes"
            )
        return min((found for found in sizes if size <= found < top), default=None)


@dataclass(frozen=True, slots=True)
class BucketCopy:
    """Implements `Copy`: the log's tiles in the same bucket."""

    place: Bucket

    @property
    def name(self) -> str:
        """The outlet's name."""
        return f"copy/{self.place.bucket}/{self.place.prefix}".rstrip("/")

    def put(self, path: str, content: bytes) -> None:
        """Put a tile where none is; one that is there has to hold the same, in one of its versions."""
        self.place.check()
        key = f"{self.place.prefix}{path}"
        if self.place.put(key, content) is not None:
            return
        if content not in [kept for _, kept in self.place.versions(key, len(content) + 1)]:
            raise AnchorFailed(f"bucket {self.place.bucket} keeps another {key}: the log was rewritten")


def _folder_name(size: int) -> str:
    return f"checkpoints/{size:0{_DIGITS}}"
