-- Who bore which root e-mail when, and limit increases. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE root_email_use (
  folded TEXT{bytewise} NOT NULL,
  number INTEGER NOT NULL CONSTRAINT root_email_use_number_counted CHECK (number >= 1),
  account_id TEXT{bytewise} NOT NULL,
  address TEXT NOT NULL,
  use TEXT NOT NULL CONSTRAINT root_email_use_use_known CHECK (use IN ('borne', 'earlier', 'reserved')),
  since {moment},
  said_by TEXT NOT NULL,
  said_name TEXT NOT NULL,
  until {moment},
  ended_by TEXT NOT NULL,
  CONSTRAINT root_email_use_pkey PRIMARY KEY (folded, number),
  CONSTRAINT root_email_use_fkey FOREIGN KEY(folded, account_id) REFERENCES root_email (folded, account_id),
  CONSTRAINT root_email_use_earlier_has_no_end CHECK (use <> 'earlier' OR until IS NULL)
)

CREATE INDEX root_email_use_by_account ON root_email_use (account_id, folded, number)

CREATE UNIQUE INDEX one_root_email_borne ON root_email_use (account_id) WHERE use = 'borne' AND until IS NULL

INSERT INTO root_email_use (folded, number, account_id, address, use, since, said_by, said_name, until, ended_by)
SELECT root_email.folded, 1, account.id,
  CASE WHEN account.root_email_folded = root_email.folded THEN account.root_email ELSE root_email.folded END,
  CASE WHEN account.root_email_folded = root_email.folded THEN 'borne' ELSE 'earlier' END,
  NULL, '', '', NULL, ''
FROM root_email JOIN account ON account.id = root_email.account_id

CREATE TABLE account_limit (
  customer_id TEXT{bytewise} NOT NULL,
  most INTEGER NOT NULL CONSTRAINT account_limit_most_counted CHECK (most >= 0),
  ticket TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_name TEXT NOT NULL,
  set_at {moment} NOT NULL,
  CONSTRAINT account_limit_pkey PRIMARY KEY (customer_id),
  CONSTRAINT account_limit_customer_id_fkey FOREIGN KEY(customer_id) REFERENCES customer (id)
)
