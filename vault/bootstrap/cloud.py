"""Sources of AWS's own records, made of settings. Nothing is asked of them yet.

Decided here: which adapter stands behind which setting. Where any region's event history is asked, that of
root's sign-ins is asked as well, because they are recorded there alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vault.adapters.cloudtrail.bucket import Bucket
from vault.adapters.cloudtrail.folder import Folder
from vault.adapters.cloudtrail.lookup import SIGN_IN_REGION, Lookup

if TYPE_CHECKING:
    from vault.ports.cloud import CloudRecords
    from vault.settings import Settings


def open_sources(settings: Settings) -> tuple[CloudRecords, ...]:
    """Make what the settings name; raise `Refused` for what cannot be meant."""
    cloud = settings.cloud
    regions = dict.fromkeys((*cloud.lookup_regions, SIGN_IN_REGION) if cloud.lookup_regions else ())
    return (
        *(Folder(Path(settings.directory / folder)) for folder in cloud.folders),
        *(Bucket(bucket, endpoint=cloud.endpoint) for bucket in cloud.buckets),
        *(Lookup(region, endpoint=cloud.endpoint) for region in regions),
    )
