"""The REST API as its own description has it: every call is one operation of openapi.yaml, and every reply is
held against it: status, headers, body. Used by test_api.py."""

import collections
import re
import time

import jsonschema
import requests
import yaml

WAIT_S = 30


class Caller:
    """Somebody with credentials, as an Authorization header or a pair for HTTP Basic; None is nobody."""

    def __init__(self, name, authorization=None, basic=None):
        self.name, self.authorization, self.basic = name, authorization, basic

    def __repr__(self):
        return self.name


NOBODY = Caller("nobody")


def bearer(name, secret):
    return Caller(name, authorization="Bearer " + secret)


Operation = collections.namedtuple("Operation", "id method path scope fleet open schema")


def operations_of(document):
    for path, item in document["paths"].items():
        for method, schema in item.items():
            if method != "parameters":
                yield Operation(schema["operationId"], method.upper(), path, schema.get("x-scope"),
                                schema.get("x-fleet", False), schema.get("security") == [], schema)


class Api:
    def __init__(self, base_url, ca_file):
        self.base_url = base_url.rstrip("/")
        self.session = requests.Session()
        self.session.verify = ca_file
        self.session.trust_env = False  # no proxy and no other CA of the environment
        self.document = yaml.safe_load(self.session.get(self.base_url + "/v1/openapi.yaml", timeout=WAIT_S).text)
        self.operations = {o.id: o for o in operations_of(self.document)}
        self.succeeded = set()

    def send(self, method, url, caller=NOBODY, **more):
        """Any request, sent again while the answer is 429."""
        headers = dict(more.pop("headers", {}))
        if caller.authorization:
            headers["Authorization"] = caller.authorization
        while True:
            reply = self.session.request(method, self.base_url + url, headers=headers, auth=caller.basic,
                                         timeout=WAIT_S, **more)
            if reply.status_code != 429:
                return reply
            time.sleep(int(reply.headers["Retry-After"]))

    def call(self, operation_id, caller=NOBODY, body=None, query=None, headers=None, **path):
        """One operation; the reply is checked against the document."""
        operation = self.operations[operation_id]
        url = operation.path.format(**{"id": path.get("id_"), **path})
        content = {"data": body} if isinstance(body, bytes) else {"json": body}
        reply = self.send(operation.method, url, caller, **content, params=query, headers=headers or {})
        self.check(operation, reply)
        if reply.status_code < 300:
            self.succeeded.add(operation_id)
        return reply

    def ok(self, operation_id, *args, **named):
        """The same, and it must succeed; returns the body."""
        reply = self.call(operation_id, *args, **named)
        assert reply.status_code < 300, f"{operation_id}: {reply.status_code} {reply.text}"
        return reply.json() if reply.content else None

    def check(self, operation, reply):
        where = f"{operation.id}: {reply.status_code} {reply.text[:500]}"
        status = operation.schema["responses"].get(str(reply.status_code))
        assert status is not None, f"status not in the document: {where}"
        status = self.resolve(status)
        for name, header in status.get("headers", {}).items():
            assert name in reply.headers, f"no {name}: {where}"
            self.validate(reply.headers[name], self.resolve(header)["schema"], where)
        if "content" not in status:
            assert reply.content == b"", f"a body nobody told of: {where}"
            return
        (kind, media), = status["content"].items()
        assert reply.headers["Content-Type"] == kind, where
        if kind.endswith("json"):
            self.validate(reply.json(), media["schema"], where)
        if kind == "application/problem+json":
            assert reply.json()["status"] == reply.status_code, where
            assert reply.json()["trace"] == reply.headers["Trace-Id"], where

    def check_problem(self, reply, status):
        """A problem document with this status, whatever operation it was."""
        assert reply.status_code == status, f"{reply.status_code} {reply.text[:500]}"
        assert reply.headers["Content-Type"] == "application/problem+json"
        self.validate(reply.json(), {"$ref": "#/components/schemas/Problem"}, reply.text)

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def validate(self, value, schema, where):
        whole = {**schema, "components": self.document["components"]}
        errors = list(jsonschema.Draft202012Validator(whole).iter_errors(value))
        assert not errors, f"{errors[0].message} at {list(errors[0].path)}: {where}"


def wait_for(what, condition, limit_s=WAIT_S):
    """Waits until `condition` returns something true, and returns that."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {limit_s} s for {what}")


def parameters_of(path):
    return re.findall(r"{(\w+)}", path)
