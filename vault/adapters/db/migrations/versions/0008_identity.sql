-- Identity providers, and machines' tokens, for both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

UPDATE api_token SET effective_at = created_at

CREATE TABLE identity (
  id TEXT{bytewise} NOT NULL,
  person_id TEXT{bytewise} NOT NULL,
  issuer TEXT{bytewise} NOT NULL,
  subject TEXT{bytewise} NOT NULL,
  linked_at {moment} NOT NULL,
  ended_at {moment},
  ended_by TEXT,
  CONSTRAINT identity_pkey PRIMARY KEY (id),
  CONSTRAINT identity_end_whole CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
  CONSTRAINT identity_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE UNIQUE INDEX one_identity_of_subject ON identity (issuer, subject) WHERE ended_at IS NULL

CREATE UNIQUE INDEX one_identity_of_person ON identity (person_id, issuer) WHERE ended_at IS NULL

CREATE TABLE provider_visit (
  id TEXT{bytewise} NOT NULL,
  browser_hash TEXT{bytewise} NOT NULL,
  purpose TEXT NOT NULL CONSTRAINT provider_visit_purpose_known CHECK (purpose IN ('link', 'sign_in')),
  issuer TEXT NOT NULL,
  asked_for TEXT NOT NULL,
  begun_at {moment} NOT NULL,
  until {moment} NOT NULL,
  person_id TEXT{bytewise},
  session TEXT{bytewise} NOT NULL,
  subject TEXT,
  label TEXT NOT NULL,
  withheld TEXT NOT NULL,
  answered_at {moment},
  used_at {moment},
  CONSTRAINT provider_visit_pkey PRIMARY KEY (id),
  CONSTRAINT provider_visit_browser_once UNIQUE (browser_hash),
  CONSTRAINT provider_visit_answered_with_subject CHECK (subject IS NULL OR answered_at IS NOT NULL),
  CONSTRAINT provider_visit_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE INDEX provider_visit_by_end ON provider_visit (until)
