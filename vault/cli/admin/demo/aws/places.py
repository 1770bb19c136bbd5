"""What lies in an account's regions in the demonstration: topics, rules, recorders, buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vault.cli.admin.demo.aws.state import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.cli.admin.demo.aws.state import Caller, Cloud, Rule

HOME: Final = "us-east-1"
ABSENT: Final = "ResourceNotFoundException"
_ARN_PARTS: Final = 6


def list_topics(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """List a region's topics (SNS ListTopics)."""
    names = sorted(cloud.account(caller.account).topics.get(caller.region, ()))
    return {
        "Topics": [{"TopicArn": f"arn:aws:sns:{caller.region}:{caller.account}:{name}"} for name in names]
    }


def delete_topic(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a topic; one that is not there is deleted (SNS DeleteTopic)."""
    parts = str(asked.get("TopicArn", "")).split(":")
    if len(parts) != _ARN_PARTS or parts[3:5] != [caller.region, caller.account]:
        raise RefusalError("AuthorizationError", 403)
    cloud.account(caller.account).topics.get(caller.region, set()).discard(parts[5])
    return {}


def list_rules(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """List a region's rules."""
    return {"Rules": [_told(caller, rule) for rule in _rules(cloud, caller).values()]}


def describe_rule(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of one."""
    return _told(caller, _rule(cloud, caller, asked.get("Name")))


def list_targets_by_rule(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """List a rule's targets."""
    arn = f"arn:aws:sqs:{caller.region}:{caller.account}:dispatcher"
    return {"Targets": [{"Id": each, "Arn": arn} for each in _rule(cloud, caller, asked.get("Rule")).targets]}


def remove_targets(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Take targets from a rule."""
    rule = _rule(cloud, caller, asked.get("Rule"))
    rule.targets = [each for each in rule.targets if each not in asked.get("Ids", ())]
    return {"FailedEntryCount": 0, "FailedEntries": []}


def delete_rule(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a rule without targets; one that is not there is deleted."""
    rule = _rules(cloud, caller).get(str(asked.get("Name")))
    if rule is not None and rule.targets:
        raise RefusalError("ValidationException", message="Rule can't be deleted since it has targets.")
    _rules(cloud, caller).pop(str(asked.get("Name")), None)
    return {}


def describe_configuration_recorders(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of the recorder of AWS Config in a region, if there is one."""
    arn = cloud.account(caller.account).recorders.get(caller.region)
    return {"ConfigurationRecorders": [{"name": "default", "roleARN": arn}] if arn else []}


def list_buckets(cloud: Cloud, caller: Caller) -> str:
    """List the account's buckets, as S3 writes it."""
    names = "".join(
        f"<Bucket><Name>{name}</Name><CreationDate>2024-03-01T09:00:00.000Z</CreationDate></Bucket>"
        for name in sorted(cloud.account(caller.account).buckets)
    )
    owner = f"<Owner><ID>{caller.account}</ID></Owner>"
    return f"<ListAllMyBucketsResult>{owner}<Buckets>{names}</Buckets></ListAllMyBucketsResult>"


def get_bucket_location(cloud: Cloud, caller: Caller, name: str) -> str:
    """Say in which region a bucket is; nothing stands for the first region there was."""
    region = cloud.account(caller.account).buckets.get(name)
    if region is None:
        raise RefusalError("NoSuchBucket", 404)
    return f"<LocationConstraint>{'' if region == HOME else region}</LocationConstraint>"


def _rules(cloud: Cloud, caller: Caller) -> dict[str, Rule]:
    return cloud.account(caller.account).rules.setdefault(caller.region, {})


def _rule(cloud: Cloud, caller: Caller, name: object) -> Rule:
    found = _rules(cloud, caller).get(str(name))
    if found is None:
        raise RefusalError(ABSENT)
    return found


def _told(caller: Caller, rule: Rule) -> dict[str, Any]:
    arn = f"arn:aws:events:{caller.region}:{caller.account}:rule/{rule.name}"
    return {"Name": rule.name, "Arn": arn, "State": "ENABLED", "EventBusName": "default"}
