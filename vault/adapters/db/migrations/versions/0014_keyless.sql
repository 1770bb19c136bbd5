-- Members whose root credentials are removed centrally. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE keyless (
  account_id TEXT{bytewise} NOT NULL,
  payer_id TEXT{bytewise} NOT NULL,
  state TEXT NOT NULL CONSTRAINT keyless_state_known CHECK (state IN ('allowing', 'gone', 'removing', 'seen')),
  seen_at {moment} NOT NULL,
  found TEXT NOT NULL,
  changed_at {moment} NOT NULL,
  proposal_id TEXT{bytewise},
  CONSTRAINT keyless_pkey PRIMARY KEY (account_id),
  CONSTRAINT keyless_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT keyless_payer_id_fkey FOREIGN KEY(payer_id) REFERENCES account (id),
  CONSTRAINT keyless_proposal_id_fkey FOREIGN KEY(proposal_id) REFERENCES proposal (id),
  CONSTRAINT keyless_under_way_by_proposal CHECK ((state IN ('allowing', 'removing')) = (proposal_id IS NOT NULL))
)

CREATE TABLE task_session (
  id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  payer_id TEXT{bytewise} NOT NULL,
  task TEXT NOT NULL CONSTRAINT task_session_task_known CHECK (task IN ('allow', 'audit', 'delete')),
  asked_at {moment} NOT NULL,
  entry BIGINT NOT NULL,
  access_key TEXT{bytewise},
  CONSTRAINT task_session_pkey PRIMARY KEY (id),
  CONSTRAINT task_session_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT task_session_payer_id_fkey FOREIGN KEY(payer_id) REFERENCES account (id)
)

CREATE INDEX task_session_by_account ON task_session (account_id, asked_at)

CREATE UNIQUE INDEX task_session_by_access_key ON task_session (access_key)
