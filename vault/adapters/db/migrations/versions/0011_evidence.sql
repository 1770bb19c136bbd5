-- What AWS's own records prove, for both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE INDEX cloud_event_root_change ON cloud_event (account_id, happened_at) WHERE name IN ('DeactivateMFADevice', 'EmailUpdated', 'EnableMFADevice', 'PasswordRecoveryCompleted', 'PasswordUpdated') AND error IS NULL

CREATE INDEX rotation_unverified ON rotation (attested_at, id) WHERE state = 'accepted'
