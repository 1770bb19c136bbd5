"""Tests of `vault.crypto`."""
