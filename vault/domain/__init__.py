"""Rules and lifecycles as frozen values and tables: standard library only, no clock, no I/O."""
