-- Values that two credentials had at once. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE reused_value (
  account_id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT reused_value_kind_known CHECK (kind IN ('mfa', 'password')),
  version INTEGER NOT NULL,
  found_at {moment} NOT NULL,
  found_by TEXT NOT NULL CONSTRAINT reused_value_found_by_known CHECK (found_by IN ('drill', 'import')),
  CONSTRAINT reused_value_pkey PRIMARY KEY (account_id, kind, version),
  CONSTRAINT reused_value_account_id_fkey FOREIGN KEY(account_id, kind, version) REFERENCES version (account_id, kind, number)
)
