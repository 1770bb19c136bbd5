"""A small AWS of the demonstration's own: on this machine, over HTTP, with AWS's protocols and state that can be asked.

    with serving(cloud) as url:
        boto3.client("iam", endpoint_url=url, ...)
    cloud.accounts["111122223333"].roles        # which roles are left

Just the operations that looking at accounts, centralized root access and giving accounts back need are there. What it
does not have it refuses, as AWS refuses an operation that is not known. No signature is checked, and no policy but a
role's trust: whoever has an access key may do everything in its account.
"""
