-- Mail that is assigned to an account, and the order in which notes of mail are told. For both databases; words that differ are put in by `migrations/steps.py`. Statements are parted by blank lines.

UPDATE mail_note SET arrived = (SELECT count(*) FROM mail JOIN mail AS own ON own.id = mail_note.mail_id WHERE (mail.received_at, mail.id) <= (own.received_at, own.id))

CREATE INDEX mail_note_by_arrival ON mail_note (arrived)

CREATE INDEX mail_note_of_topic ON mail_note (account_id, topic, arrived) WHERE state = 'waiting'
