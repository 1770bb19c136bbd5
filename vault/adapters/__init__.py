"""Adapters: the ports' other side, in the real world. They take plain parameters, never settings."""
