-- Tables about places outside, for both databases. Four words differ and are put in by 0002_places_outside.py:
-- {moment} {bytewise} {bytes} {clustered}. Statements are parted by blank lines.

CREATE TABLE published (
  size BIGINT NOT NULL CONSTRAINT published_size_counted CHECK (size > 0),
  note TEXT NOT NULL,
  published_at {moment} NOT NULL,
  CONSTRAINT published_pkey PRIMARY KEY (size)
)

CREATE TABLE outlet (
  name TEXT{bytewise} NOT NULL,
  position BIGINT NOT NULL CONSTRAINT outlet_position_counted CHECK (position >= 0),
  confirmed_at {moment},
  failing_since {moment},
  tries INTEGER NOT NULL CONSTRAINT outlet_tries_counted CHECK (tries >= 0),
  next_at {moment},
  error TEXT,
  lost BOOLEAN NOT NULL,
  CONSTRAINT outlet_pkey PRIMARY KEY (name)
)

CREATE TABLE outlet_receipt (
  outlet TEXT{bytewise} NOT NULL,
  size BIGINT NOT NULL,
  evidence TEXT NOT NULL,
  confirmed_at {moment} NOT NULL,
  CONSTRAINT outlet_receipt_pkey PRIMARY KEY (outlet, size)
)

CREATE TABLE incident (
  id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT incident_kind_known CHECK (kind IN ('log_damaged', 'missing_decrypt', 'root_sign_in', 'root_use', 'unlogged_decrypt')),
  subject TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise},
  checkout_id TEXT{bytewise},
  summary TEXT NOT NULL,
  evidence TEXT NOT NULL,
  happened_at {moment} NOT NULL,
  opened_at {moment} NOT NULL,
  owner_id TEXT{bytewise},
  owned_at {moment},
  closed_at {moment},
  closed_by TEXT,
  closing TEXT,
  CONSTRAINT incident_pkey PRIMARY KEY (id),
  CONSTRAINT incident_subject_once UNIQUE (subject),
  CONSTRAINT incident_owner_whole CHECK ((owner_id IS NULL) = (owned_at IS NULL)),
  CONSTRAINT incident_closing_whole CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (closing IS NULL)),
  CONSTRAINT incident_closed_has_owner CHECK (closed_at IS NULL OR owner_id IS NOT NULL),
  CONSTRAINT incident_owner_id_fkey FOREIGN KEY(owner_id) REFERENCES person (id)
)

CREATE INDEX incident_by_account ON incident (account_id, opened_at, id)

CREATE INDEX incident_by_time ON incident (opened_at, id)

CREATE INDEX incident_open ON incident (opened_at) WHERE closed_at IS NULL

CREATE TABLE cloud_event (
  event_id TEXT{bytewise} NOT NULL,
  shared_id TEXT{bytewise},
  kind TEXT NOT NULL CONSTRAINT cloud_event_kind_known CHECK (kind IN ('assume_root', 'key_use', 'recovery', 'root_use', 'sign_in')),
  happened_at {moment} NOT NULL,
  account_id TEXT{bytewise},
  recipient TEXT{bytewise} NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  who TEXT NOT NULL,
  ip TEXT NOT NULL,
  error TEXT,
  mfa BOOLEAN,
  request_id TEXT{bytewise},
  access_key TEXT{bytewise},
  record TEXT NOT NULL,
  late BOOLEAN NOT NULL,
  seen_at {moment} NOT NULL,
  matched TEXT{bytewise},
  CONSTRAINT cloud_event_pkey PRIMARY KEY (event_id)
)

CREATE INDEX cloud_event_by_account ON cloud_event (account_id, happened_at, event_id)

CREATE INDEX cloud_event_by_request ON cloud_event (request_id)

CREATE INDEX cloud_event_by_access_key ON cloud_event (access_key, kind)

CREATE INDEX cloud_event_by_match ON cloud_event (matched, happened_at, event_id)

CREATE INDEX cloud_event_unmatched ON cloud_event (happened_at, event_id) WHERE matched IS NULL

CREATE TABLE key_call (
  entry BIGINT NOT NULL,
  place INTEGER NOT NULL,
  request_id TEXT{bytewise} NOT NULL,
  key TEXT{bytewise} NOT NULL,
  operation TEXT NOT NULL,
  purpose TEXT NOT NULL,
  outcome TEXT NOT NULL,
  account_id TEXT{bytewise},
  checkout_id TEXT{bytewise},
  made_at {moment} NOT NULL,
  event_id TEXT{bytewise},
  incident_id TEXT{bytewise},
  CONSTRAINT key_call_pkey PRIMARY KEY (entry, place)
)

CREATE INDEX key_call_by_request ON key_call (request_id)

CREATE INDEX key_call_unseen ON key_call (key, made_at, entry) WHERE event_id IS NULL AND incident_id IS NULL

CREATE TABLE cloud_file (
  place TEXT{bytewise} NOT NULL,
  tag TEXT NOT NULL,
  events INTEGER NOT NULL CONSTRAINT cloud_file_events_counted CHECK (events >= 0),
  fault TEXT,
  read_at {moment} NOT NULL,
  CONSTRAINT cloud_file_pkey PRIMARY KEY (place)
)

CREATE INDEX cloud_file_broken ON cloud_file (read_at) WHERE fault IS NOT NULL

CREATE TABLE cloud_source (
  name TEXT{bytewise} NOT NULL,
  position TEXT NOT NULL,
  read_at {moment},
  failing_since {moment},
  error TEXT,
  CONSTRAINT cloud_source_pkey PRIMARY KEY (name)
)

CREATE TABLE cloud_reach (
  account_id TEXT{bytewise} NOT NULL,
  place TEXT{bytewise} NOT NULL,
  since {moment} NOT NULL,
  until {moment} NOT NULL,
  CONSTRAINT cloud_reach_pkey PRIMARY KEY (account_id, place)
)

CREATE TABLE audit_words_part (
  part INTEGER NOT NULL CONSTRAINT audit_words_part_counted CHECK (part >= 0),
  first_at TEXT{bytewise} NOT NULL,
  last_at TEXT{bytewise} NOT NULL,
  CONSTRAINT audit_words_part_pkey PRIMARY KEY (part)
)

CREATE TABLE audit_words (
  part INTEGER NOT NULL,
  term BIGINT NOT NULL,
  entries {bytes} NOT NULL,
  CONSTRAINT audit_words_pkey PRIMARY KEY (part, term)
){clustered}
