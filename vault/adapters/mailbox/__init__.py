"""Where mail to root addresses comes in: SMTP and LMTP on this machine, and what SES put into a bucket."""
