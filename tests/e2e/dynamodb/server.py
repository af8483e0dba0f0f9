"""The server under test: a region of Hither, or DynamoDB Local where one is compared.

It asserts nothing. Tables that cases share are made once; what each call was answered is kept, so
that two servers' answers to the same cases can be laid side by side.
"""

import itertools
import json
import os
import pathlib
import urllib.parse

import boto3
import botocore.config
import botocore.exceptions

# Shapes of the tables that cases share: attribute names and types of partition and sort key.
SHAPES = {
    "hash": [("pk", "S")],
    "range": [("pk", "S"), ("sk", "S")],
    "numbers": [("pk", "S"), ("sk", "N")],
    "bytes": [("pk", "S"), ("sk", "B")],
    "by-number": [("pk", "N")],
    "by-bytes": [("pk", "B")],
}


def definition(keys):
    """Returns the members of a CreateTable that say what the key is."""
    kinds = ("HASH", "RANGE")
    return {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in keys
        ],
        "KeySchema": [
            {"AttributeName": name, "KeyType": kind}
            for (name, _), kind in zip(keys, kinds, strict=False)
        ],
    }


class Server:
    """A server, its shared tables, and what it answered."""

    def __init__(self, endpoint, *, is_peer):
        self.endpoint = endpoint
        self.is_peer = is_peer
        # No validation here: what is wrong shall reach the server.
        self.client = boto3.session.Session().client(
            "dynamodb",
            region_name="us-east-1",
            endpoint_url=endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=botocore.config.Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"total_max_attempts": 1},
                parameter_validation=False,
            ),
        )
        self.run = f"{os.getpid():x}"
        self.serial = itertools.count()
        self.shared = {}
        self.answers = {}
        self.test = ""

    @property
    def address(self):
        """Host and port, for callers without boto3."""
        url = urllib.parse.urlsplit(self.endpoint)
        return url.hostname, url.port

    def unique(self, stem="k"):
        """Returns a name that nobody else has."""
        return f"{stem}-{self.run}-{next(self.serial)}"

    def table(self, shape):
        """Returns the name of the shared table of a shape."""
        if shape not in self.shared:
            self.shared[shape] = self.make(SHAPES[shape], stem=shape)
        return self.shared[shape]

    def make(self, keys, stem="own", **more):
        """Makes a table and returns its name once it is active."""
        name = self.unique(stem)
        more = {"BillingMode": "PAY_PER_REQUEST"} | more
        self.client.create_table(TableName=name, **definition(keys), **more)
        self.wait(name)
        return name

    def wait(self, name):
        soon = {"Delay": 0.02, "MaxAttempts": 1500}
        self.client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=soon)

    def call(self, operation, parameters):
        """Makes a call; returns the reply, or the error that refused it."""
        try:
            reply = self.client._make_api_call(operation, parameters)
            said = "ok"
        except botocore.exceptions.ClientError as error:
            reply = error
            told = error.response["Error"]
            said = f"{told['Code']}: {told.get('Message', '')}"
        self.note(operation, said)
        return reply

    def note(self, operation, said):
        own = said.replace(self.run, "RUN")[:400]
        self.answers.setdefault(self.test, []).append([operation, own])

    def save(self, file, outcomes):
        answers = {"answers": self.answers, "outcomes": outcomes}
        pathlib.Path(file).write_text(json.dumps(answers, indent=1, sort_keys=True))


class Single:
    """One region of a server, asked as tests ask one of several: by `laptop.Laptop`'s words."""

    def __init__(self, endpoint):
        self.given = {
            "region_name": "us-east-1",
            "endpoint_url": endpoint,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "config": botocore.config.Config(
                connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1}
            ),
        }

    def client(self, service, _=None):
        return boto3.session.Session().client(service, **self.given)

    def table(self, name, _=None):
        return boto3.session.Session().resource("dynamodb", **self.given).Table(name)
