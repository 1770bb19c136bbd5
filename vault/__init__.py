"""Hold the AWS root credentials of many accounts, give them out for a stated reason, and prove every use."""
