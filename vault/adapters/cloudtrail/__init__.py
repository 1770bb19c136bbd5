"""Sources of AWS's records: files in a directory, files in a bucket, and the event history of a region."""
