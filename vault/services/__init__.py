"""Use cases: one file a noun, each with the beats load, decide, transition, save, record, commit, disclose."""
