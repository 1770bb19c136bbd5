-- Whose an account was before it moved, and closed accounts. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE account_tenure (
  account_id TEXT{bytewise} NOT NULL,
  number INTEGER NOT NULL CONSTRAINT account_tenure_number_counted CHECK (number >= 1),
  customer_id TEXT{bytewise} NOT NULL,
  since {moment} NOT NULL,
  until {moment} NOT NULL,
  CONSTRAINT account_tenure_pkey PRIMARY KEY (account_id, number),
  CONSTRAINT account_tenure_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT account_tenure_customer_id_fkey FOREIGN KEY(customer_id) REFERENCES customer (id),
  CONSTRAINT account_tenure_in_order CHECK (since <= until)
)

CREATE INDEX account_tenure_by_customer ON account_tenure (customer_id, account_id)

CREATE TABLE closure (
  case_id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  state TEXT NOT NULL CONSTRAINT closure_state_known CHECK (state IN ('closed', 'dead', 'reopened')),
  closed_at {moment} NOT NULL,
  dead_at {moment} NOT NULL,
  was TEXT NOT NULL,
  ended_at {moment},
  ended_by TEXT,
  words TEXT NOT NULL,
  CONSTRAINT closure_pkey PRIMARY KEY (case_id, account_id),
  CONSTRAINT closure_case_id_fkey FOREIGN KEY(case_id) REFERENCES case_file (id),
  CONSTRAINT closure_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT closure_dies_later CHECK (dead_at > closed_at),
  CONSTRAINT closure_end_of_state CHECK ((state = 'closed') = (ended_at IS NULL)),
  CONSTRAINT closure_end_whole CHECK ((ended_at IS NULL) = (ended_by IS NULL))
)

CREATE INDEX closure_by_account ON closure (account_id, closed_at)

CREATE INDEX closure_waiting ON closure (dead_at) WHERE state = 'closed'
