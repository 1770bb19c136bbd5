-- Notices to people, for both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE notice (
  id TEXT{bytewise} NOT NULL,
  entry_id TEXT{bytewise} NOT NULL,
  entry BIGINT NOT NULL CONSTRAINT notice_entry_counted CHECK (entry >= 0),
  event TEXT{bytewise} NOT NULL,
  topic TEXT NOT NULL,
  recipient TEXT{bytewise} NOT NULL,
  channel TEXT NOT NULL CONSTRAINT notice_channel_known CHECK (channel IN ('inbox', 'mail', 'webhook')),
  urgent BOOLEAN NOT NULL,
  digest BOOLEAN NOT NULL,
  title TEXT NOT NULL,
  path TEXT NOT NULL,
  account_id TEXT{bytewise},
  fold TEXT{bytewise} NOT NULL,
  count INTEGER NOT NULL CONSTRAINT notice_count_counted CHECK (count >= 1),
  at {moment} NOT NULL,
  made_at {moment} NOT NULL,
  state TEXT NOT NULL CONSTRAINT notice_state_known CHECK (state IN ('dead', 'dropped', 'sent', 'waiting')),
  tries INTEGER NOT NULL CONSTRAINT notice_tries_counted CHECK (tries >= 0),
  next_at {moment},
  ended_at {moment},
  read_at {moment},
  error TEXT,
  CONSTRAINT notice_pkey PRIMARY KEY (id),
  CONSTRAINT notice_once UNIQUE (entry_id, channel, recipient),
  CONSTRAINT notice_state_whole CHECK ((state = 'waiting') = (ended_at IS NULL) AND (state = 'waiting') = (next_at IS NOT NULL)),
  CONSTRAINT notice_inbox_is_there CHECK (channel <> 'inbox' OR state = 'sent'),
  CONSTRAINT notice_read_in_inbox CHECK (read_at IS NULL OR channel = 'inbox'),
  CONSTRAINT notice_urgent_at_once CHECK (NOT (urgent AND digest))
)

CREATE INDEX notice_of ON notice (recipient, channel, at, id)

CREATE INDEX notice_fold ON notice (fold, made_at)

CREATE INDEX notice_ended ON notice (ended_at, id)

CREATE INDEX notice_unread ON notice (recipient, channel) WHERE read_at IS NULL

CREATE INDEX notice_waiting ON notice (channel, urgent, next_at) WHERE state = 'waiting'

CREATE INDEX notice_dead ON notice (ended_at, id) WHERE state = 'dead'

CREATE TABLE notice_choice (
  person_id TEXT{bytewise} NOT NULL,
  topic TEXT NOT NULL,
  way TEXT NOT NULL CONSTRAINT notice_choice_way_known CHECK (way IN ('digest', 'inbox', 'mail')),
  CONSTRAINT notice_choice_pkey PRIMARY KEY (person_id, topic),
  CONSTRAINT notice_choice_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)
