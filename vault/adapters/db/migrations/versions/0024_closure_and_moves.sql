-- Whose an account was before it moved. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

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
