-- Cases, their accounts and steps. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE case_file (
  id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT case_file_kind_known CHECK (kind IN ('closure', 'handover', 'move', 'onboarding')),
  customer_id TEXT{bytewise} NOT NULL,
  ticket TEXT NOT NULL,
  state TEXT{bytewise} NOT NULL,
  opened_by TEXT NOT NULL,
  opened_at {moment} NOT NULL,
  changed_at {moment} NOT NULL,
  cause TEXT NOT NULL,
  ended_at {moment},
  CONSTRAINT case_file_pkey PRIMARY KEY (id),
  CONSTRAINT case_file_customer_id_fkey FOREIGN KEY(customer_id) REFERENCES customer (id),
  CONSTRAINT case_file_state_of_kind CHECK ((kind = 'handover' AND state IN ('acknowledged', 'cancelled', 'closed', 'in_progress', 'prepared', 'released', 'requested', 'scheduled')) OR (kind <> 'handover' AND state IN ('cancelled', 'done', 'open'))),
  CONSTRAINT case_file_end_of_state CHECK ((state IN ('cancelled', 'closed', 'done')) = (ended_at IS NOT NULL))
)

CREATE TABLE case_account (
  case_id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  position INTEGER NOT NULL CONSTRAINT case_account_position_counted CHECK (position >= 0),
  state TEXT NOT NULL CONSTRAINT case_account_state_known CHECK (state IN ('cancelled', 'done', 'in_progress', 'scheduled', 'waiting')),
  changed_at {moment} NOT NULL,
  day {moment},
  was TEXT NOT NULL,
  ended_at {moment},
  CONSTRAINT case_account_pkey PRIMARY KEY (case_id, account_id),
  CONSTRAINT case_account_case_id_fkey FOREIGN KEY(case_id) REFERENCES case_file (id),
  CONSTRAINT case_account_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
)

CREATE TABLE case_step (
  case_id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  step TEXT{bytewise} NOT NULL,
  state TEXT NOT NULL CONSTRAINT case_step_state_known CHECK (state IN ('asked', 'doing', 'done', 'failed', 'waived')),
  at {moment} NOT NULL,
  by TEXT NOT NULL,
  evidence TEXT NOT NULL,
  second_by TEXT,
  by_vault BOOLEAN NOT NULL,
  words TEXT NOT NULL,
  waiving BOOLEAN NOT NULL,
  CONSTRAINT case_step_pkey PRIMARY KEY (case_id, account_id, step),
  CONSTRAINT case_step_case_id_fkey FOREIGN KEY(case_id) REFERENCES case_file (id),
  CONSTRAINT case_step_second_is_another CHECK (second_by IS NULL OR second_by <> by),
  CONSTRAINT case_step_waived_by_two CHECK (state <> 'waived' OR second_by IS NOT NULL)
)

CREATE INDEX case_file_by_time ON case_file (opened_at, id)

CREATE INDEX case_file_by_customer ON case_file (customer_id, opened_at, id)

CREATE INDEX case_file_open ON case_file (kind, opened_at) WHERE ended_at IS NULL

CREATE INDEX case_account_by_account ON case_account (account_id, case_id)

CREATE INDEX case_account_by_day ON case_account (day)

CREATE UNIQUE INDEX one_open_case_per_account ON case_account (account_id) WHERE ended_at IS NULL
