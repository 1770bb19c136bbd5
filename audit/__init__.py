"""A tamper-evident log: an RFC 6962 Merkle tree over exact leaf bytes, in the C2SP formats.

This package knows nothing of the vault that writes to it and can be used alone. Reading from the bottom up:

    entry       the canonical bytes of one event; batch reads many at once
    merkle      the tree's mathematics, on ints and 32-byte hashes
    note        signed notes (Ed25519), the only place that signs
    checkpoint  origin, size and root as the text of a note
    tile        names and contents of the pieces in which a tree is published
    storage     where entries live: memory, or the database of whoever appends
    log         append and prove
    bundle      a whole log as files
    served      a whole log over HTTP
    verify      the examination of a whole log
    contents    what its entries say, a part of that; in a second process: helper
    older       what older checkpoints say of it
    report      what was found; wording tells it
    mark        the highest checkpoint we have seen, kept outside the database
    rotation    the change of the signing key
    signatures  the lines under a note, merged as they come in
    anchor_file checkpoints added to a file on another disk
    witness     who keeps a log's newest checkpoint, cosigns what continues it and refuses what does not

The formats are told in the modules' docstrings, and for people who check without our code in
`docs/formats-log.md`.
"""
