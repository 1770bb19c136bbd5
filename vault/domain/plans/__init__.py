"""The plans: what has to be done in cases of each kind, as data; one file a kind."""
