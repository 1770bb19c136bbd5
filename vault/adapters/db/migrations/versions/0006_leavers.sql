-- Leavers: what they may know, for both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE TABLE leaver_knows (
  person_id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT leaver_knows_kind_known CHECK (kind IN ('mfa', 'password')),
  version INTEGER NOT NULL,
  way TEXT NOT NULL CONSTRAINT leaver_knows_way_known CHECK (way IN ('entered', 'in_doubt', 'shown', 'shown_to_set', 'verified')),
  known_since {moment} NOT NULL,
  left_at {moment} NOT NULL,
  CONSTRAINT leaver_knows_pkey PRIMARY KEY (account_id, kind, version, person_id),
  CONSTRAINT leaver_knows_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id),
  CONSTRAINT leaver_knows_account_id_fkey FOREIGN KEY(account_id, kind, version) REFERENCES version (account_id, kind, number)
)

CREATE INDEX leaver_knows_by_person ON leaver_knows (person_id, account_id)

CREATE INDEX reveal_by_person ON reveal (person_id, kind)

CREATE INDEX guess_by_time ON guess (last_at)
