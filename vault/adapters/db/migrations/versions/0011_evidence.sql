-- What AWS's own records prove, for both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

CREATE INDEX cloud_event_observed ON cloud_event (account_id, happened_at) WHERE name IN ('ConsoleLogin', 'DeactivateMFADevice', 'EmailUpdated', 'EnableMFADevice', 'PasswordRecoveryCompleted', 'PasswordUpdated')

CREATE INDEX rotation_unverified ON rotation (attested_at, id) WHERE state = 'accepted'
