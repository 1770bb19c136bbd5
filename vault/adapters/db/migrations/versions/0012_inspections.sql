-- What a look at an account through its role found. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE inspection (
  id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  at {moment} NOT NULL,
  facts TEXT NOT NULL,
  request_ids TEXT NOT NULL,
  again_at {moment},
  CONSTRAINT inspection_pkey PRIMARY KEY (id),
  CONSTRAINT inspection_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id)
)

CREATE INDEX inspection_by_account ON inspection (account_id, at, id)

CREATE TABLE inspection_turn (
  account_id TEXT{bytewise} NOT NULL,
  next_at {moment} NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at {moment},
  CONSTRAINT inspection_turn_pkey PRIMARY KEY (account_id),
  CONSTRAINT inspection_turn_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT inspection_turn_asked_whole CHECK ((asked_by = '') = (asked_at IS NULL))
)

CREATE INDEX inspection_turn_next ON inspection_turn (next_at, account_id)

CREATE TABLE roster (
  payer_id TEXT{bytewise} NOT NULL,
  at {moment} NOT NULL,
  count INTEGER,
  reason TEXT CONSTRAINT roster_reason_known CHECK (reason IN ('denied', 'failed', 'no_answer', 'no_role', 'not_asked', 'throttled', 'unreadable')),
  code TEXT NOT NULL,
  CONSTRAINT roster_pkey PRIMARY KEY (payer_id),
  CONSTRAINT roster_payer_id_fkey FOREIGN KEY (payer_id) REFERENCES account (id),
  CONSTRAINT roster_read_or_not CHECK ((count IS NULL) <> (reason IS NULL))
)

CREATE TABLE finding (
  id TEXT{bytewise} NOT NULL,
  rule TEXT NOT NULL CONSTRAINT finding_rule_known CHECK (rule IN ('contact', 'default', 'email_differs', 'mfa_off', 'name_differs', 'not_in_organization', 'not_in_vault', 'other_customer', 'password_gone', 'password_policy', 'place', 'root_back', 'root_certificates', 'root_keys', 'state_differs', 'unseen')),
  account_id TEXT{bytewise} NOT NULL,
  subject TEXT{bytewise} NOT NULL,
  summary TEXT NOT NULL,
  state TEXT NOT NULL CONSTRAINT finding_state_known CHECK (state IN ('accepted', 'closed', 'open')),
  first_at {moment} NOT NULL,
  opened_at {moment} NOT NULL,
  seen_at {moment} NOT NULL,
  owner_id TEXT{bytewise},
  owned_at {moment},
  ended_at {moment},
  ended_by TEXT,
  ending TEXT,
  accepted_until {moment},
  CONSTRAINT finding_pkey PRIMARY KEY (id),
  CONSTRAINT finding_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT finding_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES person (id),
  CONSTRAINT finding_once UNIQUE (account_id, rule, subject),
  CONSTRAINT finding_owner_whole CHECK ((owner_id IS NULL) = (owned_at IS NULL)),
  CONSTRAINT finding_ending_whole CHECK ((state = 'open') = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (ending IS NULL)),
  CONSTRAINT finding_accepted_whole CHECK ((state = 'accepted') = (accepted_until IS NOT NULL))
)

CREATE INDEX finding_by_time ON finding (opened_at, id)

CREATE INDEX finding_standing ON finding (account_id) WHERE state <> 'closed'
