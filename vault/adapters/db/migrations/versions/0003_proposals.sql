-- Proposals, for both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE proposal (
  id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT{bytewise} NOT NULL,
  content TEXT NOT NULL,
  why TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_at {moment} NOT NULL,
  scope_kind TEXT NOT NULL CONSTRAINT proposal_scope_kind_known CHECK (scope_kind IN ('account', 'all', 'customer')),
  scope_target TEXT{bytewise} NOT NULL,
  confirmed_by TEXT,
  confirmed_at {moment},
  effective_at {moment},
  ended_at {moment},
  ended_by TEXT,
  CONSTRAINT proposal_pkey PRIMARY KEY (id),
  CONSTRAINT proposal_scope_target_fits CHECK ((scope_kind = 'all') = (scope_target = '')),
  CONSTRAINT proposal_second_word_whole CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL) AND (confirmed_by IS NULL) = (effective_at IS NULL)),
  CONSTRAINT proposal_second_word_of_another CHECK (confirmed_by <> proposed_by),
  CONSTRAINT proposal_end_whole CHECK ((ended_at IS NULL) = (ended_by IS NULL))
)

CREATE INDEX proposal_by_subject ON proposal (kind, subject, effective_at)

CREATE INDEX proposal_by_time ON proposal (proposed_at, id)

CREATE INDEX proposal_agreed ON proposal (kind, effective_at) WHERE effective_at IS NOT NULL AND ended_at IS NULL

CREATE UNIQUE INDEX one_waiting_proposal ON proposal (kind, subject) WHERE confirmed_by IS NULL AND ended_at IS NULL
