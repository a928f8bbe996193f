"""Asks tagwarden what alice may do and whether tags comply, and handles every way to get no answer.

An answer is ALLOW or DENY. Everything else is an exception here, NotDecided: whoever enforces then
does what its own failure mode says, which for most is to refuse. Usage: client.py HOST:PORT
"""

import sys
import time

import grpc
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from tagwarden.v1 import authorization_pb2 as authorization
from tagwarden.v1 import common_pb2 as common
from tagwarden.v1 import tagging_pb2 as tagging
from tagwarden.v1.authorization_pb2_grpc import AuthorizationServiceStub
from tagwarden.v1.tagging_pb2_grpc import TaggingServiceStub

ALICE = "acs:ram::123456789012:user/alice"
GROUPS = "acs:eci:cn-hangzhou:123456789012:containergroup/"
DEADLINE = 2.0
# Longer than the server waits for a revision: what it says of that comes in time.
PATIENT = 4.0
TRIES = 2


class NotDecided(Exception):
    """There is no answer. `retry_after` is in seconds, or None where asking again is of no use."""

    def __init__(self, status):
        super().__init__(status.message)
        code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
        self.code = code.name
        self.reason = self.place = ""
        self.retry_after = None
        for detail in status.details:
            self._read(detail)

    def _read(self, detail):
        """Each detail has a type of its own; of those that are not known none matters."""
        info = error_details_pb2.ErrorInfo()
        request = error_details_pb2.BadRequest()
        precondition = error_details_pb2.PreconditionFailure()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            self.reason = info.reason
        elif detail.Unpack(request):
            self.place = request.field_violations[0].field
        elif detail.Unpack(precondition):
            self.place = precondition.violations[0].subject
        elif detail.Unpack(retry):
            self.retry_after = retry.retry_delay.ToTimedelta().total_seconds()

    def __str__(self):
        shown = f"not decided: {self.code}"
        if self.reason:
            shown += f" {self.reason}"
        if self.place:
            shown += f" in {self.place}"
        return shown


def asked(call, request, deadline=DEADLINE):
    """One call, tried again only where the server says that this may help."""
    for attempt in range(1, TRIES + 1):
        try:
            return call(request, timeout=deadline)
        except grpc.RpcError as error:
            # A status without details comes from the way there, and not from tagwarden.
            bare = Status(code=error.code().value[0], message=error.details() or "")
            refused = NotDecided(rpc_status.from_call(error) or bare)
        if refused.retry_after is None or attempt == TRIES:
            raise refused
        time.sleep(refused.retry_after)


def question(action, group, tags=(), **others):
    """A request about one container group; `tags` are pairs."""
    asked_for = authorization.AuthorizeRequest(
        principal=ALICE,
        action=f"eci:{action}",
        resources=[common.Resource(arn=GROUPS + group)],
        understands_obligations=True,
        **others,
    )
    if tags:
        asked_for.tag_write.set.tags.extend(common.Tag(key=k, value=v) for k, v in tags)
    return asked_for


def decision(answer):
    """What an answer says, in words."""
    if answer.effect == authorization.EFFECT_ALLOW:
        shown = "ALLOW"
        for obligation in answer.obligations:
            tags = obligation.must_filter_tags.tags
            shown += ", filtered by " + ",".join(f"{tag.key}={tag.value}" for tag in tags)
        return shown
    reason = authorization.Reason.Name(answer.reason).removeprefix("REASON_")
    if answer.on_deny == authorization.ON_DENY_EMPTY_RESULT:
        return f"DENY {reason}, shown as an empty result"
    return f"DENY {reason}, shown as an error"


def tell(what, ask):
    """Prints what came of a question."""
    try:
        print(f"{what}: {ask()}")
    except NotDecided as refused:
        print(f"{what}: {refused}")


def authorize(stub):
    env = [("env", "test")]
    for what, request in [
        ("delete eci-test", question("DeleteContainerGroup", "eci-test")),
        ("delete eci-prod", question("DeleteContainerGroup", "eci-prod")),
        ("list all", question("DescribeContainerGroups", "*")),
        ("list env=test", question("DescribeContainerGroups", "*", env)),
    ]:
        tell(f"authorize {what}", lambda: decision(asked(stub.Authorize, request)))


def validate(stub):
    for value in ["Shanghai", "shanghai"]:
        request = tagging.ValidateTaggingRequest(
            resource=common.Resource(arn=GROUPS + "*"),
            operation=tagging.TAGGING_OPERATION_CREATE,
        )
        request.tag_write.set.tags.add(key="CostCenter", value=value)
        tell(f"validate CostCenter={value}", lambda: verdict(asked(stub.ValidateTagging, request)))


def verdict(answer):
    """What a verdict on tags says, in words."""
    found = answer.verdict
    if found.compliant:
        return "complies"
    wrong = found.violations[0]
    shown = "intercepted" if found.intercepted else "reported"
    return f"{shown}, {wrong.expected_key} should be {wrong.nearest_value}"


def stream(stub):
    """Answers come in the order of the questions; one that is refused does not end the stream."""
    groups = ["eci-test", "*", "eci-prod"]
    requests = [question("DeleteContainerGroup", group) for group in groups]
    questions = (authorization.AuthorizeStreamRequest(request=request) for request in requests)
    answers = stub.AuthorizeStream(questions, timeout=DEADLINE)
    for number, answer in enumerate(answers, start=1):
        result = answer.result
        if result.WhichOneof("result") == "response":
            print(f"stream {number}: {decision(result.response)}")
        else:
            print(f"stream {number}: {NotDecided(result.error)}")


def refusals(stub):
    delete = "DeleteContainerGroup"
    twice = question("CreateContainerGroup", "*", [("env", "test"), ("env", "prod")])
    session = question(delete, "eci-test")
    session.session.policy_document = "{}"
    broken = question(delete, "eci-test")
    broken.principal = ALICE.replace("123456789012", "999999999999")
    for what, request in [
        ("tag twice", twice),
        ("unknown group", question(delete, "eci-new")),
        ("session", session),
        ("broken account", broken),
    ]:
        tell(f"refused {what}", lambda: decision(asked(stub.Authorize, request)))
    told = asked(stub.Authorize, question(delete, "eci-test")).revision
    later = common.RevisionToken(source=told.source, number=told.number + 1)
    request = question(delete, "eci-test", min_revision=later)
    tell("refused later revision", lambda: decision(asked(stub.Authorize, request, PATIENT)))


def main(address):
    with grpc.insecure_channel(address) as channel:
        authorize(AuthorizationServiceStub(channel))
        validate(TaggingServiceStub(channel))
        stream(AuthorizationServiceStub(channel))
        refusals(AuthorizationServiceStub(channel))
    with grpc.insecure_channel("127.0.0.1:1") as channel:
        stub = AuthorizationServiceStub(channel)
        request = question("DeleteContainerGroup", "eci-test")
        tell("nobody there", lambda: decision(asked(stub.Authorize, request)))


if __name__ == "__main__":
    main(sys.argv[1])
