"""Accounts looked at through their roles, with boto3."""
