"""Users, keys and policies: who may do what, in every region."""

import contextlib
import datetime
import http.client
import json
import subprocess
import urllib.error
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions
import laptop as laptops
import pytest
from laptop import EAST, HITHER, IRELAND, KEY, SECRET, environment, error_code, eventually

ACCOUNT = "000000000000"
TABLE = f"arn:aws:dynamodb:*:{ACCOUNT}:table/carts"


@pytest.fixture(scope="module")
def guarded():
    """Two regions that accept one key, and those of users."""
    laptop = laptops.Laptop()
    credentials = laptop.credentials()
    processes = []
    log = (laptop.folder / "up.log").open("wb")
    try:
        for region in (EAST, IRELAND):
            command = [
                HITHER, "serve", "--region", region, "--manifest", laptop.manifest,
                "--data-dir", laptop.folder / region, "--laptop", "--credentials", credentials,
                "--project-key", laptop.folder / "project.key",
            ]
            processes.append(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(),
                preexec_fn=laptops.die_with_parent,
            ))
            eventually(lambda region=region: laptop.is_serving(region))
        root = client(laptop, "dynamodb")
        root.create_table(
            TableName="carts",
            AttributeDefinitions=[{"AttributeName": "customer", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "customer", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for customer in ("anna", "bert"):
            item = {"customer": {"S": customer}, "total": {"N": "1"}, "card": {"S": "secret"}}
            root.put_item(TableName="carts", Item=item)
        yield laptop
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)
        log.close()
        laptop.remove()


def client(laptop, service, keys=(KEY, SECRET), region=EAST):
    return boto3.session.Session().client(
        service,
        region_name=EAST if service == "iam" else region,
        endpoint_url=laptop.endpoint(region),
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        aws_session_token=keys[2] if 2 < len(keys) else None,
        config=botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )


def user(laptop, name, *statements):
    """Makes a user with an inline policy, and returns a key of theirs."""
    iam = client(laptop, "iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(
            UserName=name, PolicyName="own", PolicyDocument=document(*statements)
        )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **condition):
    return {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}


def get(dynamodb, customer, **more):
    return dynamodb.get_item(TableName="carts", Key={"customer": {"S": customer}}, **more)


def refused(call, *args, **more):
    return error_code(call, *args, **more)[0]


def test_a_user_may_do_what_its_policies_say(guarded):
    iam = client(guarded, "iam")
    keys = user(guarded, "reader", allow("dynamodb:GetItem", TABLE))
    dynamodb = client(guarded, "dynamodb", keys)
    assert get(dynamodb, "anna")["Item"]["total"] == {"N": "1"}
    code, message = error_code(dynamodb.scan, TableName="carts")
    assert code == "AccessDeniedException"
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: dynamodb:Scan "
        f"on resource: arn:aws:dynamodb:{EAST}:{ACCOUNT}:table/carts because no identity-based "
        "policy allows the dynamodb:Scan action"
    )
    me = client(guarded, "sts", keys).get_caller_identity()
    assert me["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/reader"

    arn = iam.create_policy(PolicyName="scan", PolicyDocument=document(allow("dynamodb:Scan")))
    arn = arn["Policy"]["Arn"]
    iam.attach_user_policy(UserName="reader", PolicyArn=arn)
    assert dynamodb.scan(TableName="carts")["Count"] == 2
    # A denial counts more than what is allowed elsewhere.
    deny = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}
    iam.put_user_policy(UserName="reader", PolicyName="no", PolicyDocument=document(deny))
    code, message = error_code(dynamodb.scan, TableName="carts")
    assert code == "AccessDeniedException" and "explicit deny in an identity-based" in message
    iam.delete_user_policy(UserName="reader", PolicyName="no")
    iam.put_user_permissions_boundary(UserName="reader", PermissionsBoundary=arn)
    assert "no permissions boundary allows" in error_code(get, dynamodb, "anna")[1]
    iam.delete_user_permissions_boundary(UserName="reader")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert refused(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    shown = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    assert shown["Statement"][0]["Action"] == "dynamodb:Scan"


def test_items_and_attributes_can_be_kept_apart(guarded):
    keys = user(guarded, "anna", allow(
        ["dynamodb:GetItem", "dynamodb:UpdateItem"], TABLE,
        **{
            "ForAllValues:StringEquals": {
                "dynamodb:LeadingKeys": ["${aws:username}"],
                "dynamodb:Attributes": ["customer", "total"],
            },
            "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        },
    ))
    dynamodb = client(guarded, "dynamodb", keys)
    own = get(dynamodb, "anna", ProjectionExpression="customer, #t",
              ExpressionAttributeNames={"#t": "total"})["Item"]
    assert own == {"customer": {"S": "anna"}, "total": {"N": "1"}}
    denied = "AccessDeniedException"
    assert refused(get, dynamodb, "bert", ProjectionExpression="customer") == denied
    assert refused(get, dynamodb, "anna") == denied
    assert refused(get, dynamodb, "anna", ProjectionExpression="card") == denied
    update = {"TableName": "carts", "Key": {"customer": {"S": "anna"}}}
    assert refused(dynamodb.update_item, UpdateExpression="REMOVE card", **update) == denied
    dynamodb.update_item(
        UpdateExpression="SET #t = :t", ExpressionAttributeNames={"#t": "total"},
        ExpressionAttributeValues={":t": {"N": "1"}}, **update,
    )


def test_other_services_ask_too(guarded):
    keys = user(guarded, "resolver", allow("route53:List*"), allow("lambda:ListFunctions"))
    client(guarded, "route53", keys).list_hosted_zones()
    client(guarded, "lambda", keys).list_functions()
    route53 = client(guarded, "route53", keys)
    assert refused(route53.create_hosted_zone, Name="x.test", CallerReference="1") == "AccessDenied"
    functions = client(guarded, "lambda", keys)
    assert refused(functions.get_function, FunctionName="any") == "AccessDeniedException"
    gateway = client(guarded, "apigatewayv2", keys)
    assert refused(gateway.get_apis) == "AccessDeniedException"
    assert refused(client(guarded, "acm", keys).list_certificates) == "AccessDeniedException"
    assert refused(client(guarded, "iam", keys).list_users) == "AccessDenied"


def test_sessions_are_good_in_every_region_and_no_longer_than_their_user(guarded):
    keys = user(guarded, "visitor", allow("dynamodb:ListTables"))
    issued = client(guarded, "sts", keys).get_session_token(DurationSeconds=900)["Credentials"]
    session = (issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    eventually(lambda: knows(guarded, keys, IRELAND))
    for region in (EAST, IRELAND):
        client(guarded, "dynamodb", session, region).list_tables()
    wrong = (*session[:2], session[2][:-8] + "AAAAAAAA")
    for keys in (session[:2], wrong):
        assert refused(client(guarded, "dynamodb", keys).list_tables) == (
            "UnrecognizedClientException"
        )
        assert refused(client(guarded, "sts", keys).get_caller_identity) == "InvalidClientTokenId"
    # Sessions of users change nobody's rights.
    assert refused(client(guarded, "iam", session).list_users) == "InvalidClientTokenId"
    iam = client(guarded, "iam")
    iam.delete_access_key(UserName="visitor", AccessKeyId=iam.list_access_keys(
        UserName="visitor")["AccessKeyMetadata"][0]["AccessKeyId"])
    iam.delete_user_policy(UserName="visitor", PolicyName="own")
    iam.delete_user(UserName="visitor")
    assert refused(client(guarded, "dynamodb", session).list_tables) == (
        "UnrecognizedClientException"
    )


def knows(laptop, keys, region):
    try:
        return client(laptop, "sts", keys, region).get_caller_identity()
    except botocore.exceptions.ClientError:
        return None


def test_a_key_that_is_switched_off_is_refused_everywhere(guarded):
    iam = client(guarded, "iam")
    keys = user(guarded, "leaver", allow("dynamodb:ListTables"))
    eventually(lambda: knows(guarded, keys, IRELAND))
    assert refused(iam.delete_user, UserName="leaver") == "DeleteConflict"
    iam.update_access_key(UserName="leaver", AccessKeyId=keys[0], Status="Inactive")
    # At once where it was done, and elsewhere as soon as the change is there.
    assert not knows(guarded, keys, EAST)
    eventually(lambda: not knows(guarded, keys, IRELAND))
    iam.create_access_key(UserName="leaver")
    assert refused(iam.create_access_key, UserName="leaver") == "LimitExceeded"


def test_users_have_names_paths_and_tags(guarded):
    iam = client(guarded, "iam")
    iam.create_user(UserName="Carla", Path="/team/", Tags=[{"Key": "team", "Value": "shop"}])
    assert refused(iam.create_user, UserName="CARLA") == "EntityAlreadyExists"
    shown = iam.get_user(UserName="carla")["User"]
    assert shown["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/Carla"
    assert shown["Tags"] == [{"Key": "team", "Value": "shop"}]
    iam.tag_user(UserName="Carla", Tags=[{"Key": "floor", "Value": "2"}])
    iam.untag_user(UserName="Carla", TagKeys=["team"])
    assert iam.list_user_tags(UserName="Carla")["Tags"] == [{"Key": "floor", "Value": "2"}]
    iam.update_user(UserName="Carla", NewUserName="Clara")
    names = [one["UserName"] for one in iam.list_users(PathPrefix="/team/")["Users"]]
    assert names == ["Clara"]
    assert refused(iam.get_user, UserName="Carla") == "NoSuchEntity"
    bad = json.dumps({"Statement": [{"Effect": "Maybe"}]})
    refusal = refused(
        iam.put_user_policy, UserName="Clara", PolicyName="bad", PolicyDocument=bad
    )
    assert refusal == "MalformedPolicyDocument"
    iam.delete_user(UserName="Clara")
    assert refused(iam.create_role, RoleName="r", AssumeRolePolicyDocument="{}") == (
        "UnsupportedOperation"
    )
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName="Clara")


def test_decisions_can_be_asked_for_beforehand(guarded):
    iam = client(guarded, "iam")
    user(guarded, "planned", allow("dynamodb:GetItem", TABLE))
    answer = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/planned",
        ActionNames=["dynamodb:GetItem", "dynamodb:Scan"],
        ResourceArns=[f"arn:aws:dynamodb:{EAST}:{ACCOUNT}:table/carts"],
    )
    decisions = [one["EvalDecision"] for one in answer["EvaluationResults"]]
    assert decisions == ["allowed", "implicitDeny"]
    policy = document(allow("a:B", "*", Bool={"aws:SecureTransport": "true"}))
    for value, decision in (("true", "allowed"), ("false", "implicitDeny")):
        answer = iam.simulate_custom_policy(
            PolicyInputList=[policy], ActionNames=["a:B"],
            ContextEntries=[{
                "ContextKeyName": "aws:SecureTransport", "ContextKeyType": "boolean",
                "ContextKeyValues": [value],
            }],
        )
        assert answer["EvaluationResults"][0]["EvalDecision"] == decision


def send(laptop, sign):
    """Sends a call that `sign` signs, and returns status and body."""
    request = botocore.awsrequest.AWSRequest(
        "POST", laptop.endpoint(EAST) + "/", data=b"{}",
        headers={
            "x-amz-target": "DynamoDB_20120810.ListTables",
            "content-type": "application/x-amz-json-1.0",
        },
    )
    sign(request)
    sent = urllib.request.Request(request.url, request.data, dict(request.headers.items()))
    try:
        with urllib.request.urlopen(sent, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def test_a_forwarded_call_is_its_clients_own(guarded):
    near_by = allow("dynamodb:ListTables", IpAddress={"aws:SourceIp": "127.0.0.77"})
    credentials = botocore.credentials.Credentials(*user(guarded, "traveller", near_by))

    def status(source, at, **more):
        """Calls Ireland's ListTables from an address, at the endpoint of a region."""
        request = botocore.awsrequest.AWSRequest(
            "POST", guarded.endpoint(at) + "/", data=b"{}",
            headers={
                "x-amz-target": "DynamoDB_20120810.ListTables",
                "content-type": "application/x-amz-json-1.0",
            },
        )
        botocore.auth.SigV4Auth(credentials, "dynamodb", IRELAND).add_auth(request)
        connection = http.client.HTTPConnection(
            *guarded.port(at, "api"), timeout=20, source_address=(source, 0)
        )
        with contextlib.closing(connection):
            headers = dict(request.headers.items()) | more
            connection.request("POST", "/", request.data, headers)
            return connection.getresponse().status

    eventually(lambda: status("127.0.0.77", IRELAND) == 200)
    assert status("127.0.0.78", IRELAND) == 400
    assert status("127.0.0.77", EAST) == 200
    assert status("127.0.0.78", EAST) == 400
    # Nobody else's word on it counts.
    claimed = {"x-hither-forwarded": f"127.0.0.77 {'0' * 64}"}
    assert status("127.0.0.78", IRELAND, **claimed) == 400


def test_presigned_calls_and_clocks_that_are_wrong(guarded, monkeypatch):
    keys = user(guarded, "presigner")
    url = client(guarded, "sts", keys).generate_presigned_url(
        "get_caller_identity", ExpiresIn=60, HttpMethod="GET"
    )
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert b":user/presigner</Arn>" in answer.read()
    with pytest.raises(urllib.error.HTTPError) as altered:
        urllib.request.urlopen(url.replace("Expires=60", "Expires=61"), timeout=20)
    assert altered.value.code == 403 and b"SignatureDoesNotMatch" in altered.value.read()

    credentials = botocore.credentials.Credentials(KEY, SECRET)

    def at(minutes):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        monkeypatch.setattr(
            botocore.auth, "get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None)
        )
        sign = botocore.auth.SigV4Auth(credentials, "dynamodb", EAST)
        return send(guarded, sign.add_auth)

    assert at(0)[0] == 200
    for minutes, words in ((-6, "Signature expired"), (6, "Signature not yet current")):
        status, body = at(minutes)
        assert status == 400 and body["__type"].endswith("#InvalidSignatureException"), body
        assert words in body["message"]
