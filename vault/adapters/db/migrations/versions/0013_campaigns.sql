-- Campaigns over many accounts, and who does which. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE campaign (
  id TEXT{bytewise} NOT NULL,
  proposal_id TEXT{bytewise} NOT NULL,
  name TEXT NOT NULL,
  why TEXT NOT NULL,
  parts TEXT NOT NULL CONSTRAINT campaign_parts_known CHECK (parts IN ('both', 'mfa', 'password')),
  accounts INTEGER NOT NULL CONSTRAINT campaign_accounts_counted CHECK (accounts >= 1),
  accounts_per_hour INTEGER NOT NULL CONSTRAINT campaign_accounts_per_hour_counted CHECK (accounts_per_hour >= 1),
  people TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  agreed_by TEXT NOT NULL,
  begun_at {moment} NOT NULL,
  until {moment} NOT NULL,
  ended_at {moment},
  ended_by TEXT,
  CONSTRAINT campaign_pkey PRIMARY KEY (id),
  CONSTRAINT campaign_proposal_id_fkey FOREIGN KEY(proposal_id) REFERENCES proposal (id),
  CONSTRAINT campaign_agreed_by_another CHECK (agreed_by <> proposed_by),
  CONSTRAINT campaign_until_after_begin CHECK (until > begun_at),
  CONSTRAINT campaign_end_whole CHECK ((ended_at IS NULL) = (ended_by IS NULL))
)

CREATE INDEX campaign_by_time ON campaign (begun_at, id)

CREATE INDEX campaign_open ON campaign (until) WHERE ended_at IS NULL

CREATE TABLE campaign_account (
  campaign_id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  person_id TEXT{bytewise},
  changed_at {moment} NOT NULL,
  changed_by TEXT NOT NULL,
  CONSTRAINT campaign_account_pkey PRIMARY KEY (campaign_id, account_id),
  CONSTRAINT campaign_account_campaign_id_fkey FOREIGN KEY(campaign_id) REFERENCES campaign (id),
  CONSTRAINT campaign_account_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT campaign_account_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE INDEX campaign_account_by_account ON campaign_account (account_id, campaign_id)

CREATE TABLE reminder (
  person_id TEXT{bytewise} NOT NULL,
  day TEXT{bytewise} NOT NULL CONSTRAINT reminder_day_length CHECK (length(day) = 10),
  CONSTRAINT reminder_pkey PRIMARY KEY (person_id),
  CONSTRAINT reminder_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)
