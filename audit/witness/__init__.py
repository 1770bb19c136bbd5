"""A witness: somebody else's program that remembers the newest checkpoint of a log (C2SP tlog-witness).

    wire        what is sent, as bytes
    memory      what a witness remembers, on its disk
    judge       what it cosigns and what it refuses
    server      the judge behind HTTP
    client      the log's side
    submit      how a log gets its cosignature, and learns that it was put back
    command     `python -m audit witness`

The one promise: a witness never cosigns two checkpoints of one log of which neither continues the other, whatever
it is sent, by however many at once, and whenever it is killed. A log that was put back, rewritten or shown in two
versions therefore stops getting cosignatures, and the witness says so. For people who run one: `docs/witness.md`.
"""
