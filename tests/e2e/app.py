"""A function for tests, written against the Lambda Runtime API with nothing but Python.

It is read as text and shipped as a `bootstrap`; the tests do not import it.
"""

BOOTSTRAP = '''#!/usr/bin/env python3
"""Echoes what it was called with; `MODE` makes it misbehave."""
import base64, json, os, sys, time, urllib.request

API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"


def send(path, body, headers={}):
    request = urllib.request.Request(API + path, json.dumps(body).encode(), headers)
    urllib.request.urlopen(request).read()


def answer(event):
    path = event.get("rawPath", "")
    if path == "/health":
        return {"status": "ok", "region": os.environ["AWS_REGION"]}
    if path.endswith("/teapot"):
        return {"statusCode": 418, "headers": {"x-tea": "green"}, "cookies": ["a=1", "b=2"],
                "body": "short and stout"}
    if path.endswith("/bytes"):
        return {"statusCode": 200, "headers": {"content-type": "application/octet-stream"},
                "body": base64.b64encode(bytes(range(256))).decode(), "isBase64Encoded": True}
    if path.endswith("/crash"):
        with open(os.environ["COUNTER"], "a") as file:
            file.write(os.environ["AWS_REGION"] + "\\n")
        os._exit(4)
    if path.endswith("/nap"):
        open(os.environ["COUNTER"], "w").write("asleep")
        time.sleep(1)
    if path.endswith("/raise"):
        raise ValueError("as asked")
    if path.endswith("/sleep"):
        time.sleep(60)
    return {"event": event, "env": dict(os.environ), "region": os.environ["AWS_REGION"]}


print("starting in", os.environ["AWS_REGION"], flush=True)
if os.environ.get("MODE") == "broken":
    sys.exit(3)
while True:
    with urllib.request.urlopen(API + "invocation/next") as call:
        request_id = call.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(call)
    print("called:", event.get("rawPath"), flush=True)
    if os.environ.get("MODE") == "crashing":
        os._exit(4)
    try:
        send("invocation/" + request_id + "/response", answer(event))
    except ValueError as error:
        send("invocation/" + request_id + "/error",
             {"errorType": "ValueError", "errorMessage": str(error), "stackTrace": []},
             {"Lambda-Runtime-Function-Error-Type": "ValueError"})
'''
