-- Mail that came to root addresses. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE mail (
  id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise},
  recipient TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT mail_kind_known CHECK (kind IN ('ordinary', 'security', 'unmatched')),
  rule TEXT NOT NULL,
  half TEXT NOT NULL CONSTRAINT mail_half_known CHECK (half IN ('mfa', 'password')),
  sender TEXT NOT NULL,
  verdict TEXT NOT NULL CONSTRAINT mail_verdict_known CHECK (verdict IN ('fail', 'none', 'pass')),
  forged BOOLEAN NOT NULL,
  way TEXT NOT NULL CONSTRAINT mail_way_known CHECK (way IN ('ses', 'smtp')),
  source TEXT{bytewise} NOT NULL,
  fingerprint TEXT{bytewise} NOT NULL,
  size INTEGER NOT NULL,
  received_at {moment} NOT NULL,
  sha256 TEXT NOT NULL,
  body {bytes},
  wraps {bytes},
  emptied_at {moment},
  emptied_why TEXT CONSTRAINT mail_emptied_why_known CHECK (emptied_why IN ('age', 'destroyed')),
  CONSTRAINT mail_pkey PRIMARY KEY (id),
  CONSTRAINT mail_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT mail_account_unless_unmatched CHECK ((account_id IS NULL) = (kind = 'unmatched')),
  CONSTRAINT mail_sealed_whole CHECK ((body IS NULL) = (wraps IS NULL)),
  CONSTRAINT mail_ordinary_not_sealed CHECK (kind <> 'ordinary' OR (body IS NULL AND sha256 = '')),
  CONSTRAINT mail_sealed_or_emptied CHECK (kind = 'ordinary' OR (body IS NULL) = (emptied_at IS NOT NULL)),
  CONSTRAINT mail_emptied_whole CHECK ((emptied_at IS NULL) = (emptied_why IS NULL))
)

CREATE UNIQUE INDEX mail_fingerprint ON mail (fingerprint)

CREATE INDEX mail_by_account ON mail (account_id, received_at, id)

CREATE INDEX mail_by_recipient ON mail (recipient)

CREATE INDEX mail_by_time ON mail (received_at, id)

CREATE INDEX mail_by_source ON mail (way, source)

CREATE INDEX mail_sealed ON mail (received_at, id) WHERE body IS NOT NULL

CREATE INDEX mail_unmatched ON mail (received_at, id) WHERE account_id IS NULL

CREATE TABLE mail_opening (
  id TEXT{bytewise} NOT NULL,
  mail_id TEXT{bytewise} NOT NULL,
  checkout_id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  person_id TEXT{bytewise} NOT NULL,
  state TEXT NOT NULL CONSTRAINT mail_opening_state_known CHECK (state IN ('authorized', 'failed', 'released', 'unknown')),
  authorized_at {moment} NOT NULL,
  ended_at {moment},
  CONSTRAINT mail_opening_pkey PRIMARY KEY (id),
  CONSTRAINT mail_opening_mail_id_fkey FOREIGN KEY(mail_id) REFERENCES mail (id),
  CONSTRAINT mail_opening_checkout_id_fkey FOREIGN KEY(checkout_id) REFERENCES checkout (id),
  CONSTRAINT mail_opening_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT mail_opening_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT mail_opening_ended_with_outcome CHECK ((state = 'authorized') = (ended_at IS NULL))
)

CREATE INDEX mail_opening_by_mail ON mail_opening (mail_id, authorized_at)

CREATE INDEX mail_opening_by_checkout ON mail_opening (checkout_id)

CREATE INDEX mail_opening_unfinished ON mail_opening (authorized_at) WHERE state = 'authorized'

CREATE TABLE mail_note (
  mail_id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  topic TEXT{bytewise} NOT NULL,
  subject TEXT NOT NULL,
  text TEXT NOT NULL,
  state TEXT NOT NULL CONSTRAINT mail_note_state_known CHECK (state IN ('told', 'untold', 'waiting')),
  tries INTEGER NOT NULL,
  next_at {moment},
  ticket TEXT NOT NULL,
  error TEXT NOT NULL,
  ended_at {moment},
  CONSTRAINT mail_note_pkey PRIMARY KEY (mail_id),
  CONSTRAINT mail_note_mail_id_fkey FOREIGN KEY(mail_id) REFERENCES mail (id),
  CONSTRAINT mail_note_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT mail_note_waiting_for_a_time CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
  CONSTRAINT mail_note_ended_with_outcome CHECK ((state = 'waiting') = (ended_at IS NULL))
)

CREATE INDEX mail_note_waiting ON mail_note (next_at) WHERE state = 'waiting'

CREATE TABLE mail_ticket (
  account_id TEXT{bytewise} NOT NULL,
  topic TEXT{bytewise} NOT NULL,
  ticket TEXT NOT NULL,
  made_at {moment} NOT NULL,
  CONSTRAINT mail_ticket_pkey PRIMARY KEY (account_id, topic),
  CONSTRAINT mail_ticket_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
)
