-- The policy: its versions, for both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE policy_version (
  number INTEGER NOT NULL,
  digest TEXT{bytewise} NOT NULL,
  text TEXT NOT NULL,
  effective_at {moment} NOT NULL,
  proposal_id TEXT{bytewise},
  ended_at {moment},
  CONSTRAINT policy_version_pkey PRIMARY KEY (number),
  CONSTRAINT policy_version_proposal_id_fkey FOREIGN KEY(proposal_id) REFERENCES proposal (id),
  CONSTRAINT policy_version_digest_whole CHECK (length(digest) = 64)
)

CREATE INDEX policy_version_counts ON policy_version (number, effective_at) WHERE ended_at IS NULL
