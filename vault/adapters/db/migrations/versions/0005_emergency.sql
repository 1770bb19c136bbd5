-- Break-glass, freezes and split custody, for both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE frozen (
  id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT frozen_kind_known CHECK (kind IN ('account', 'customer', 'person', 'vault')),
  target TEXT{bytewise} NOT NULL,
  why TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_by_name TEXT NOT NULL,
  set_at {moment} NOT NULL,
  lifted_at {moment},
  lifted_by TEXT,
  CONSTRAINT frozen_pkey PRIMARY KEY (id),
  CONSTRAINT frozen_target_fits CHECK ((kind = 'vault') = (target = '')),
  CONSTRAINT frozen_lifted_whole CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
)

CREATE INDEX frozen_by_time ON frozen (set_at, id)

CREATE UNIQUE INDEX one_open_freeze ON frozen (kind, target) WHERE lifted_at IS NULL

CREATE INDEX checkout_unreviewed ON checkout (account_id) WHERE break_glass AND reviewed_at IS NULL

CREATE INDEX checkout_second ON checkout (second_id, joined_at) WHERE second_id IS NOT NULL
