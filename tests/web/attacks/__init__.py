"""Attacks on the web: what a stranger, a colleague or a browser can send."""
