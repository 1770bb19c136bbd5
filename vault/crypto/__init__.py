"""Cryptography: envelopes, the server's own key, one-time codes, passwords. No I/O, no clock."""
