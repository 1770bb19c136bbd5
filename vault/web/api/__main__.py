"""Write the OpenAPI document: ``python -m vault.web.api > docs/openapi.json``."""

from __future__ import annotations

import sys

from vault.web.api.openapi import text

sys.stdout.write(text())
