"""Tests of `vault.domain`."""
