"""Before each request that moto answers: sessions, task policies, denials, faults; and what was asked is kept.

moto believes every access key and every token, and lets a session do anything. Here a session ends, has to show
its token, and a privileged root session does what its task policy names. A test may deny an action in an account
(as an absent permission or an SCP would), let one fail, or let an answer be lost after the deed.
"""

from __future__ import annotations

import json
from typing import Any, Final

from moto.core import errors
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model

from tests.support.aws_state import AwsState, Call, Refusal, refuse
from tests.support.moto_offboarding import check_bound, check_region

_STATUS: Final = {
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "InvalidClientTokenId": 403,
    "NoSuchEntity": 404,
    "ServiceUnavailable": 503,
}
_IN_JSON: Final = {
    "AccessDenied": "AccessDeniedException",
    "ExpiredToken": "ExpiredTokenException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "Throttling": "ThrottlingException",
}
"""AWS's common errors have other names in services that speak JSON than in those that speak XML."""


def gate(state: AwsState) -> list[tuple[object, str, object]]:
    """Give what has to stand in moto for the rules of this module."""
    answered, told = BaseResponse.call_action, BaseResponse.serialized
    common = [*errors.COMMON_ERROR_CODES, *_STATUS, *_IN_JSON, *_IN_JSON.values()]

    def call_action(self: Any) -> Any:
        operation = str(self._get_action() or "")
        action = f"{self.service_name}:{operation}"
        state.calls.append(Call(self.current_account, action, self.access_key))
        try:
            state.check_may(
                self.current_account, action, self.access_key, self.headers.get("X-Amz-Security-Token")
            )
            check_region(state, self.region)
            if session := state.sessions.get(self.access_key):
                check_bound(state, session, action)
            if state.faults[operation]:
                code = state.faults[operation].popleft()
                common.append(code)  # whatever a test calls it, moto takes it for one of AWS's
                raise refuse(code, "Rate exceeded")
            answer = answered(self)
            if state.lost[operation]:
                state.lost[operation] -= 1
                raise refuse("ServiceUnavailable", "The answer was lost")
        except Refusal as refusal:
            if get_service_model(self.boto3_service_name).metadata["protocol"] != "query":
                refusal.code = _IN_JSON.get(refusal.code, refusal.code)
            status, headers, body = self.serialized(ActionResult(refusal))
            return status, headers | {"status": str(status)}, body
        return answer

    def serialized(self: Any, result: ActionResult) -> Any:
        status, headers, body = told(self, result)
        if isinstance(result.result, Refusal):
            status = _STATUS.get(result.result.code, status)
            if result.result.reason and isinstance(body, str):
                body = json.dumps({**json.loads(body), "Reason": result.result.reason})
        return status, headers, body

    return [
        (BaseResponse, "call_action", call_action),
        (BaseResponse, "serialized", serialized),
        (errors, "COMMON_ERROR_CODES", common),
    ]
