-- The first tables, for both databases. Three words differ and are put in by 0001_first_tables.py:
-- {moment} {blob} {bytewise}. Statements are parted by blank lines.

CREATE TABLE customer (
  id TEXT{bytewise} NOT NULL,
  ddi TEXT{bytewise} NOT NULL CONSTRAINT customer_ddi_length CHECK (length(ddi) BETWEEN 1 AND 10),
  name TEXT NOT NULL,
  public_sector BOOLEAN NOT NULL,
  aws_india BOOLEAN NOT NULL,
  session_idle_seconds INTEGER
    CONSTRAINT customer_session_idle_seconds_counted CHECK (session_idle_seconds >= 1),
  session_max_seconds INTEGER CONSTRAINT customer_session_max_seconds_counted CHECK (session_max_seconds >= 1),
  created_at {moment} NOT NULL,
  folded TEXT NOT NULL,
  CONSTRAINT customer_pkey PRIMARY KEY (id),
  CONSTRAINT customer_ddi_once UNIQUE (ddi)
)

CREATE TABLE guess (
  subject TEXT{bytewise} NOT NULL,
  failures INTEGER NOT NULL CONSTRAINT guess_failures_counted CHECK (failures >= 1),
  last_at {moment} NOT NULL,
  CONSTRAINT guess_pkey PRIMARY KEY (subject)
)

CREATE TABLE idempotency (
  actor_id TEXT{bytewise} NOT NULL,
  key TEXT{bytewise} NOT NULL,
  body_mac TEXT NOT NULL,
  subject TEXT,
  entry_index BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  created_at {moment} NOT NULL,
  CONSTRAINT idempotency_pkey PRIMARY KEY (actor_id, key)
)

CREATE TABLE person (
  id TEXT{bytewise} NOT NULL,
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL CONSTRAINT person_state_known CHECK (state IN ('active', 'disabled', 'invited')),
  created_at {moment} NOT NULL,
  password_hash TEXT,
  seed {blob},
  last_step BIGINT NOT NULL,
  enrolment_hash TEXT{bytewise},
  enrolment_until {moment},
  email_folded TEXT{bytewise} NOT NULL,
  CONSTRAINT person_pkey PRIMARY KEY (id),
  CONSTRAINT person_email_once UNIQUE (email_folded),
  CONSTRAINT person_enrolment_once UNIQUE (enrolment_hash),
  CONSTRAINT person_enrolment_whole CHECK ((enrolment_hash IS NULL) = (enrolment_until IS NULL))
)

CREATE TABLE root_email (
  folded TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  CONSTRAINT root_email_once PRIMARY KEY (folded),
  CONSTRAINT root_email_of_account UNIQUE (folded, account_id)
)

CREATE TABLE vault (
  one INTEGER NOT NULL CONSTRAINT vault_is_one CHECK (one = 1),
  id TEXT{bytewise} NOT NULL CONSTRAINT vault_id_is_uuid CHECK (length(id) = 36),
  CONSTRAINT vault_pkey PRIMARY KEY (one)
)

CREATE TABLE account (
  id TEXT{bytewise} NOT NULL CONSTRAINT account_id_length CHECK (length(id) = 12),
  customer_id TEXT{bytewise} NOT NULL,
  name TEXT NOT NULL,
  model TEXT NOT NULL CONSTRAINT account_model_known CHECK (model IN ('ECAM', 'SPAM')),
  kind TEXT NOT NULL CONSTRAINT account_kind_known CHECK (kind IN ('member', 'payer', 'standalone')),
  custody TEXT NOT NULL
    CONSTRAINT account_custody_known CHECK (custody IN ('closed', 'closing', 'customer_held', 'dead', 'held', 'in_transfer', 'keyless', 'onboarding', 'released')),
  root_email TEXT NOT NULL,
  mailbox TEXT NOT NULL CONSTRAINT account_mailbox_known CHECK (mailbox IN ('customer', 'ours', 'unknown')),
  phone TEXT NOT NULL CONSTRAINT account_phone_known CHECK (phone IN ('customer', 'ours', 'unknown')),
  created_at {moment} NOT NULL,
  held_since {moment},
  root_email_folded TEXT{bytewise} NOT NULL,
  folded TEXT NOT NULL,
  CONSTRAINT account_pkey PRIMARY KEY (id),
  CONSTRAINT account_root_email_fkey
    FOREIGN KEY(root_email_folded, id) REFERENCES root_email (folded, account_id),
  CONSTRAINT account_held_has_since CHECK (custody <> 'held' OR held_since IS NOT NULL),
  CONSTRAINT account_ecam_member_is_theirs
    CHECK (NOT (model = 'ECAM' AND kind = 'member') OR custody NOT IN ('onboarding', 'held', 'in_transfer', 'closing')),
  CONSTRAINT account_customer_id_fkey FOREIGN KEY(customer_id) REFERENCES customer (id)
)

CREATE INDEX account_by_customer ON account (customer_id, id)

CREATE INDEX account_by_held_since ON account (held_since)

CREATE TABLE api_token (
  id TEXT{bytewise} NOT NULL,
  token_hash TEXT{bytewise} NOT NULL,
  name TEXT NOT NULL,
  person_id TEXT{bytewise},
  permissions TEXT NOT NULL,
  scope_kind TEXT NOT NULL
    CONSTRAINT api_token_scope_kind_known CHECK (scope_kind IN ('account', 'all', 'customer')),
  scope_target TEXT{bytewise} NOT NULL,
  created_by TEXT NOT NULL,
  created_at {moment} NOT NULL,
  expires_at {moment} NOT NULL,
  used_at {moment},
  revoked_at {moment},
  CONSTRAINT api_token_pkey PRIMARY KEY (id),
  CONSTRAINT api_token_scope_target_fits CHECK ((scope_kind = 'all') = (scope_target = '')),
  CONSTRAINT api_token_once UNIQUE (token_hash),
  CONSTRAINT api_token_expires_later CHECK (expires_at > created_at),
  CONSTRAINT api_token_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE INDEX api_token_by_person ON api_token (person_id, created_at, id)

CREATE INDEX api_token_by_time ON api_token (created_at, id)

CREATE TABLE browser_session (
  id TEXT{bytewise} NOT NULL,
  token_hash TEXT{bytewise} NOT NULL,
  person_id TEXT{bytewise} NOT NULL,
  created_at {moment} NOT NULL,
  seen_at {moment} NOT NULL,
  ip TEXT NOT NULL,
  agent TEXT NOT NULL,
  mfa TEXT NOT NULL,
  ended_at {moment},
  CONSTRAINT browser_session_pkey PRIMARY KEY (id),
  CONSTRAINT browser_session_token_once UNIQUE (token_hash),
  CONSTRAINT browser_session_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE INDEX browser_session_by_person ON browser_session (person_id)

CREATE TABLE role_grant (
  id TEXT{bytewise} NOT NULL,
  person_id TEXT{bytewise} NOT NULL,
  role TEXT NOT NULL
    CONSTRAINT role_grant_role_known CHECK (role IN ('admin', 'approver', 'auditor', 'csm', 'custodian', 'operator')),
  scope_kind TEXT NOT NULL
    CONSTRAINT role_grant_scope_kind_known CHECK (scope_kind IN ('account', 'all', 'customer')),
  scope_target TEXT{bytewise} NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_at {moment} NOT NULL,
  confirmed_by TEXT,
  effective_at {moment},
  removed_at {moment},
  CONSTRAINT role_grant_pkey PRIMARY KEY (id),
  CONSTRAINT role_grant_scope_target_fits CHECK ((scope_kind = 'all') = (scope_target = '')),
  CONSTRAINT role_grant_confirmation_whole CHECK ((confirmed_by IS NULL) = (effective_at IS NULL)),
  CONSTRAINT role_grant_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE INDEX role_grant_by_person ON role_grant (person_id)

CREATE INDEX role_grant_by_role ON role_grant (role)

CREATE TABLE checkout (
  id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  requester_id TEXT{bytewise} NOT NULL,
  requester_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  ticket TEXT NOT NULL,
  justification TEXT NOT NULL,
  requested_seconds INTEGER NOT NULL
    CONSTRAINT checkout_requested_seconds_counted CHECK (requested_seconds >= 1),
  granted_seconds INTEGER NOT NULL CONSTRAINT checkout_granted_seconds_counted CHECK (granted_seconds >= 1),
  approvals_needed INTEGER NOT NULL CONSTRAINT checkout_approvals_needed_counted CHECK (approvals_needed >= 0),
  state TEXT NOT NULL
    CONSTRAINT checkout_state_known CHECK (state IN ('active', 'approved', 'cancelled', 'checked_in', 'denied', 'expired', 'lapsed', 'pending_approval', 'requested', 'revoked')),
  requested_at {moment} NOT NULL,
  decide_by {moment} NOT NULL,
  policy_hash TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  use_by {moment},
  activated_at {moment},
  expires_at {moment},
  ended_at {moment},
  ended_by TEXT,
  end_note TEXT,
  reveals INTEGER NOT NULL CONSTRAINT checkout_reveals_counted CHECK (reveals >= 0),
  codes INTEGER NOT NULL CONSTRAINT checkout_codes_counted CHECK (codes >= 0),
  CONSTRAINT checkout_pkey PRIMARY KEY (id),
  CONSTRAINT checkout_open_not_ended
    CHECK (state NOT IN ('active', 'approved', 'pending_approval') OR ended_at IS NULL),
  CONSTRAINT checkout_approved_has_use_by CHECK (state <> 'approved' OR use_by IS NOT NULL),
  CONSTRAINT checkout_active_has_end
    CHECK (state <> 'active' OR (activated_at IS NOT NULL AND expires_at IS NOT NULL)),
  CONSTRAINT checkout_ends_after_begin CHECK (expires_at > activated_at),
  CONSTRAINT checkout_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id),
  CONSTRAINT checkout_requester_id_fkey FOREIGN KEY(requester_id) REFERENCES person (id)
)

CREATE INDEX checkout_by_account ON checkout (account_id, requested_at, id)

CREATE INDEX checkout_by_requester ON checkout (requester_id, requested_at, id)

CREATE INDEX checkout_by_time ON checkout (requested_at, id)

CREATE UNIQUE INDEX one_open_checkout_per_account ON checkout (account_id)
  WHERE state IN ('active', 'approved', 'pending_approval')

CREATE TABLE part (
  account_id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT part_kind_known CHECK (kind IN ('mfa', 'password')),
  state TEXT NOT NULL
    CONSTRAINT part_state_known CHECK (state IN ('absent', 'destroyed', 'held', 'in_use', 'lost', 'reconciling', 'rotating', 'unknown')),
  changed_at {moment} NOT NULL,
  CONSTRAINT part_pkey PRIMARY KEY (account_id, kind),
  CONSTRAINT part_account_id_fkey FOREIGN KEY(account_id) REFERENCES account (id)
)

CREATE TABLE approval (
  id TEXT{bytewise} NOT NULL,
  checkout_id TEXT{bytewise} NOT NULL,
  approver_id TEXT{bytewise} NOT NULL,
  approver_name TEXT NOT NULL,
  decision TEXT NOT NULL CONSTRAINT approval_decision_known CHECK (decision IN ('approve', 'deny')),
  comment TEXT NOT NULL,
  seconds INTEGER CONSTRAINT approval_seconds_counted CHECK (seconds >= 1),
  content_hash TEXT NOT NULL,
  decided_at {moment} NOT NULL,
  CONSTRAINT approval_pkey PRIMARY KEY (id),
  CONSTRAINT one_approval_per_approver UNIQUE (checkout_id, approver_id),
  CONSTRAINT approval_checkout_id_fkey FOREIGN KEY(checkout_id) REFERENCES checkout (id),
  CONSTRAINT approval_approver_id_fkey FOREIGN KEY(approver_id) REFERENCES person (id)
)

CREATE TABLE step_up (
  checkout_id TEXT{bytewise} NOT NULL,
  person_id TEXT{bytewise} NOT NULL,
  session TEXT{bytewise} NOT NULL,
  until {moment} NOT NULL,
  CONSTRAINT step_up_pkey PRIMARY KEY (checkout_id, person_id, session),
  CONSTRAINT step_up_checkout_id_fkey FOREIGN KEY(checkout_id) REFERENCES checkout (id),
  CONSTRAINT step_up_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE TABLE version (
  account_id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT version_kind_known CHECK (kind IN ('mfa', 'password')),
  number INTEGER NOT NULL CONSTRAINT version_number_counted CHECK (number >= 1),
  label TEXT NOT NULL
    CONSTRAINT version_label_known CHECK (label IN ('current', 'destroyed', 'failed', 'previous', 'retired', 'staged')),
  origin TEXT NOT NULL CONSTRAINT version_origin_known CHECK (origin IN ('entered', 'generated', 'taken_in')),
  body {blob} NOT NULL CONSTRAINT version_body_there CHECK (length(body) > 0),
  wraps {blob} NOT NULL CONSTRAINT version_wraps_there CHECK (length(wraps) > 0),
  sha256 TEXT NOT NULL CONSTRAINT version_sha256_length CHECK (length(sha256) = 64),
  created_at {moment} NOT NULL,
  created_by TEXT NOT NULL,
  weak BOOLEAN NOT NULL,
  current_since {moment},
  disclosed_at {moment},
  last_step BIGINT NOT NULL,
  CONSTRAINT version_pkey PRIMARY KEY (account_id, kind, number),
  CONSTRAINT version_account_id_fkey FOREIGN KEY(account_id, kind) REFERENCES part (account_id, kind),
  CONSTRAINT version_current_has_since CHECK (label <> 'current' OR current_since IS NOT NULL)
)

CREATE UNIQUE INDEX one_current_version_per_part ON version (account_id, kind) WHERE label = 'current'

CREATE UNIQUE INDEX one_staged_version_per_part ON version (account_id, kind) WHERE label = 'staged'

CREATE TABLE reveal (
  id TEXT{bytewise} NOT NULL,
  checkout_id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT reveal_kind_known CHECK (kind IN ('mfa', 'password')),
  version INTEGER NOT NULL,
  person_id TEXT{bytewise} NOT NULL,
  purpose TEXT NOT NULL CONSTRAINT reveal_purpose_known CHECK (purpose IN ('display', 'use')),
  state TEXT NOT NULL
    CONSTRAINT reveal_state_known CHECK (state IN ('authorized', 'failed', 'released', 'unknown')),
  authorized_at {moment} NOT NULL,
  ended_at {moment},
  CONSTRAINT reveal_pkey PRIMARY KEY (id),
  CONSTRAINT reveal_account_id_fkey
    FOREIGN KEY(account_id, kind, version) REFERENCES version (account_id, kind, number),
  CONSTRAINT reveal_ended_with_outcome CHECK ((state = 'authorized') = (ended_at IS NULL)),
  CONSTRAINT reveal_checkout_id_fkey FOREIGN KEY(checkout_id) REFERENCES checkout (id),
  CONSTRAINT reveal_person_id_fkey FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE INDEX reveal_by_checkout ON reveal (checkout_id, authorized_at)

CREATE INDEX reveal_by_version ON reveal (account_id, kind, version, person_id)

CREATE INDEX reveal_unfinished ON reveal (authorized_at) WHERE state = 'authorized'

CREATE TABLE rotation (
  id TEXT{bytewise} NOT NULL,
  account_id TEXT{bytewise} NOT NULL,
  kind TEXT NOT NULL CONSTRAINT rotation_kind_known CHECK (kind IN ('mfa', 'password')),
  version INTEGER NOT NULL,
  state TEXT NOT NULL
    CONSTRAINT rotation_state_known CHECK (state IN ('abandoned', 'accepted', 'displayed', 'planned', 'refused', 'unknown', 'verified')),
  checkout_id TEXT{bytewise} NOT NULL,
  planned_by TEXT NOT NULL,
  planned_at {moment} NOT NULL,
  recovering BOOLEAN NOT NULL,
  displayed_by TEXT,
  displayed_at {moment},
  attested_by TEXT,
  attested_at {moment},
  attested_in TEXT{bytewise},
  verified_by TEXT,
  verified_at {moment},
  evidence TEXT CONSTRAINT rotation_evidence_known CHECK (evidence IN ('later_use', 'second_person')),
  evidence_note TEXT,
  CONSTRAINT rotation_pkey PRIMARY KEY (id),
  CONSTRAINT rotation_account_id_fkey
    FOREIGN KEY(account_id, kind, version) REFERENCES version (account_id, kind, number),
  CONSTRAINT rotation_displayed_first CHECK (state IN ('planned', 'abandoned') OR displayed_at IS NOT NULL),
  CONSTRAINT rotation_attested_first CHECK (state NOT IN ('accepted', 'verified') OR attested_at IS NOT NULL),
  CONSTRAINT rotation_verified_by_evidence
    CHECK ((state = 'verified') = (verified_at IS NOT NULL AND evidence IS NOT NULL)),
  CONSTRAINT rotation_checkout_id_fkey FOREIGN KEY(checkout_id) REFERENCES checkout (id),
  CONSTRAINT rotation_attested_in_fkey FOREIGN KEY(attested_in) REFERENCES checkout (id)
)

CREATE UNIQUE INDEX one_unsettled_rotation_per_part ON rotation (account_id, kind)
  WHERE state IN ('displayed', 'planned', 'unknown')

CREATE INDEX rotation_by_account ON rotation (account_id, planned_at, id)
