-- The end of a handover, and the customer's links. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE handed (
  case_id TEXT{bytewise} NOT NULL,
  released_at {moment} NOT NULL,
  destroy_after {moment} NOT NULL,
  warned_at {moment},
  acknowledged_at {moment},
  way TEXT CONSTRAINT handed_way_known CHECK (way IN ('letter', 'page')),
  signed TEXT NOT NULL,
  link_id TEXT NOT NULL,
  CONSTRAINT handed_pkey PRIMARY KEY (case_id),
  CONSTRAINT handed_case_id_fkey FOREIGN KEY(case_id) REFERENCES case_file (id),
  CONSTRAINT handed_destroyed_later CHECK (destroy_after >= released_at),
  CONSTRAINT handed_acknowledged_some_way CHECK ((acknowledged_at IS NULL) = (way IS NULL)),
  CONSTRAINT handed_acknowledged_by_name CHECK ((acknowledged_at IS NULL) = (signed = ''))
)

CREATE TABLE customer_link (
  id TEXT{bytewise} NOT NULL,
  case_id TEXT{bytewise} NOT NULL,
  token_hash TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  sent_to TEXT NOT NULL,
  made_by TEXT NOT NULL,
  made_at {moment} NOT NULL,
  until {moment} NOT NULL,
  mailed_at {moment},
  wrong INTEGER NOT NULL CONSTRAINT customer_link_wrong_counted CHECK (wrong >= 0),
  opened_at {moment},
  visit_hash TEXT,
  visit_until {moment},
  ended_at {moment},
  ending TEXT CONSTRAINT customer_link_ending_known CHECK (ending IN ('expired', 'guessed', 'replaced', 'restored', 'unsent')),
  CONSTRAINT customer_link_pkey PRIMARY KEY (id),
  CONSTRAINT customer_link_case_id_fkey FOREIGN KEY(case_id) REFERENCES case_file (id),
  CONSTRAINT customer_link_token_once UNIQUE (token_hash),
  CONSTRAINT customer_link_ends_later CHECK (until > made_at),
  CONSTRAINT customer_link_end_has_a_cause CHECK ((ended_at IS NULL) = (ending IS NULL)),
  CONSTRAINT customer_link_opened_for_a_visit CHECK ((opened_at IS NULL) = (visit_hash IS NULL) AND (opened_at IS NULL) = (visit_until IS NULL)),
  CONSTRAINT customer_link_opened_once_mailed CHECK (opened_at IS NULL OR mailed_at IS NOT NULL)
)

CREATE INDEX customer_link_by_case ON customer_link (case_id, made_at, id)

CREATE UNIQUE INDEX one_live_link_per_case ON customer_link (case_id) WHERE ended_at IS NULL

CREATE INDEX customer_link_unopened ON customer_link (until) WHERE ended_at IS NULL AND opened_at IS NULL
