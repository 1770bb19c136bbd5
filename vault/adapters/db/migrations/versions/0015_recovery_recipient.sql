-- The offline recovery recipient. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE recovery_recipient (
  number INTEGER NOT NULL,
  recipient TEXT{bytewise} NOT NULL,
  effective_at {moment} NOT NULL,
  proposal_id TEXT{bytewise},
  ended_at {moment},
  CONSTRAINT recovery_recipient_pkey PRIMARY KEY (number),
  CONSTRAINT recovery_recipient_proposal_id_fkey FOREIGN KEY(proposal_id) REFERENCES proposal (id),
  CONSTRAINT recovery_recipient_recipient_named CHECK (recipient = '' OR substr(recipient, 1, 4) = 'age1')
)

CREATE INDEX recovery_recipient_counts ON recovery_recipient (number, effective_at) WHERE ended_at IS NULL
