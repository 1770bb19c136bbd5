"""The acts by which an account is given back, with boto3 through a role of ours in it; a file for each few."""
