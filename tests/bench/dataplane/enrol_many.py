"""enrol_many.py URL CA NAME COUNT [devices] < ENROLMENT-KEY: enrols devices; attaches each and prints "TOKEN MAC" lines, or,
with `devices`, "ID SECRET" lines."""

import concurrent.futures
import sys
import threading
import uuid

import requests

url, ca, name, count, *only_devices = sys.argv[1:]
key = sys.stdin.read().strip()
local = threading.local()


def post(path, body, **more):
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.verify, local.session.trust_env = ca, False
    reply = local.session.post(url + path, json=body, timeout=60, headers={"Idempotency-Key": str(uuid.uuid4())}, **more)
    reply.raise_for_status()
    return reply.json()


def enrol(number):
    device = post("/v1/enrolments", {"enrolment_key": key, "name": f"{name}-{number}"})
    if only_devices:
        return f"{device['device']} {device['secret']}"
    attachment = post("/v1/attachments", {}, auth=(device["device"], device["secret"]))
    return f"{attachment['access_token']} {attachment['mac']}"


with concurrent.futures.ThreadPoolExecutor(16) as pool:
    for line in pool.map(enrol, range(int(count))):
        print(line)
