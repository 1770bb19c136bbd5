"""Names of CloudTrail's files: which of them hold records, and of which day.

``[prefix/]AWSLogs/[o-id/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/NAME.json.gz``. Digests and Insights lie beside
them and hold no records of what was done.
"""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(
    r"(?:.*/)?(?P<folder>AWSLogs/(?:o-[a-z0-9]{10,32}/)?[0-9]{12}/CloudTrail/[a-z0-9-]+)/"
    r"(?P<day>[0-9]{4}/[0-9]{2}/[0-9]{2})/[^/]+\.json\.gz",
    re.ASCII | re.DOTALL,
)


def day_of(name: str) -> str | None:
    """Give the day, as ``YYYY/MM/DD``, of a file of records; None for any other file."""
    found = _NAME.fullmatch(name)
    return None if found is None else found["day"]
