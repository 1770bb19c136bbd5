-- Passkeys, what they signed, and what waits in the browser, for both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE passkey (
  id TEXT{bytewise} NOT NULL,
  person_id TEXT{bytewise} NOT NULL,
  credential TEXT{bytewise} NOT NULL,
  public_key {bytes} NOT NULL CONSTRAINT passkey_public_key_there CHECK (length(public_key) > 0),
  sign_count BIGINT NOT NULL CONSTRAINT passkey_sign_count_counted CHECK (sign_count >= 0),
  name TEXT NOT NULL,
  backed_up BOOLEAN NOT NULL,
  created_at {moment} NOT NULL,
  used_at {moment},
  removed_at {moment},
  CONSTRAINT passkey_pkey PRIMARY KEY (id),
  CONSTRAINT passkey_credential_once UNIQUE (credential),
  CONSTRAINT passkey_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE INDEX passkey_by_person ON passkey (person_id, created_at, id)

CREATE TABLE assertion (
  id TEXT{bytewise} NOT NULL,
  person_id TEXT{bytewise} NOT NULL,
  passkey_id TEXT{bytewise} NOT NULL,
  session TEXT{bytewise} NOT NULL,
  request_mac TEXT NOT NULL,
  at {moment} NOT NULL,
  CONSTRAINT assertion_pkey PRIMARY KEY (id),
  CONSTRAINT assertion_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT assertion_passkey_id_fkey FOREIGN KEY(passkey_id) REFERENCES passkey (id)
)

CREATE TABLE confirmation (
  id TEXT{bytewise} NOT NULL,
  person_id TEXT{bytewise} NOT NULL,
  session TEXT{bytewise} NOT NULL,
  request_mac TEXT{bytewise} NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  content TEXT NOT NULL,
  account_id TEXT{bytewise},
  checkout_id TEXT{bytewise},
  asked_at {moment} NOT NULL,
  expires_at {moment} NOT NULL,
  confirmed_at {moment},
  assertion_id TEXT{bytewise},
  used_at {moment},
  CONSTRAINT confirmation_pkey PRIMARY KEY (id),
  CONSTRAINT confirmation_whole CHECK ((confirmed_at IS NULL) = (assertion_id IS NULL)),
  CONSTRAINT confirmation_used_after_confirmed CHECK (used_at IS NULL OR confirmed_at IS NOT NULL),
  CONSTRAINT confirmation_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT confirmation_assertion_id_fkey FOREIGN KEY(assertion_id) REFERENCES assertion (id)
)

CREATE INDEX confirmation_by_request ON confirmation (session, request_mac, expires_at)
