#!/usr/bin/env python3
# A custom runtime that does as its events say. Standard library alone.
import http.client
import json
import os
import sys
import time

host = os.environ["AWS_LAMBDA_RUNTIME_API"]
api = http.client.HTTPConnection(host)
BASE = "/2018-06-01/runtime/"


def call(method, path, body=None, headers={}):
    api.request(method, path, body, headers)
    response = api.getresponse()
    return response.status, dict(response.getheaders()), response.read()


def run(event, headers):
    do = event.get("do")
    if do == "where":
        return {
            "environment": dict(os.environ),
            "directory": os.getcwd(),
            "files": sorted(os.listdir()),
            "headers": {name.lower(): value for name, value in headers.items()},
            "pid": os.getpid(),
        }
    if do == "print":
        print("to standard output", flush=True)
        print("to standard error", file=sys.stderr, flush=True)
        return "printed"
    if do == "fail":
        raise ValueError("as told")
    if do == "exit":
        os._exit(event["code"])
    if do == "wait for":
        # Until the test makes the file: no test depends on how long anything takes.
        while not os.path.exists(event["file"]):
            time.sleep(0.005)
        return "waited"
    if do == "hang":
        while True:
            time.sleep(60)
    if do == "child":
        child = os.fork()
        if child == 0:
            while True:
                time.sleep(60)
        return {"child": child}
    if do == "large":
        return "x" * event["bytes"]
    if do == "probe":
        return [list(call(*request))[0::2] for request in event["requests"]]
    return {"echo": event, "pid": os.getpid(), "version": os.environ.get("VERSION")}


init = os.environ.get("INIT")
print("starting", flush=True)
if init == "exit":
    sys.exit(7)
if init == "error":
    body = json.dumps({"errorType": "Init.Broken", "errorMessage": "no table"})
    call("POST", BASE + "init/error", body, {"Lambda-Runtime-Function-Error-Type": "Init.Broken"})
    sys.exit(1)
if init == "hang":
    time.sleep(3600)

while True:
    status, headers, body = call("GET", BASE + "invocation/next")
    assert status == 200, (status, body)
    request_id = headers["Lambda-Runtime-Aws-Request-Id".lower()]
    invocation = BASE + "invocation/" + request_id
    try:
        answer = json.dumps(run(json.loads(body), headers), default=lambda b: b.decode())
        call("POST", invocation + "/response", answer)
    except ValueError as error:
        body = json.dumps({"errorType": "ValueError", "errorMessage": str(error), "stackTrace": []})
        call("POST", invocation + "/error", body, {"Lambda-Runtime-Function-Error-Type": "ValueError"})
