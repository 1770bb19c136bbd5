-- Destroyed credentials. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE destruction (
  account_id TEXT{bytewise} NOT NULL,
  at {moment} NOT NULL,
  by TEXT NOT NULL,
  by_name TEXT NOT NULL,
  ground TEXT NOT NULL CONSTRAINT destruction_ground_known CHECK (ground IN ('acknowledged', 'agreed', 'grace')),
  why TEXT NOT NULL,
  case_id TEXT{bytewise} NOT NULL,
  versions TEXT NOT NULL,
  wraps TEXT NOT NULL,
  mails INTEGER NOT NULL CONSTRAINT destruction_mails_counted CHECK (mails >= 0),
  backups_until {moment} NOT NULL,
  CONSTRAINT destruction_pkey PRIMARY KEY (account_id),
  CONSTRAINT destruction_backups_go_later CHECK (backups_until >= at),
  CONSTRAINT destruction_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
)

CREATE INDEX destruction_by_case ON destruction (case_id, account_id)
