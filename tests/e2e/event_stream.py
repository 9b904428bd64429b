"""Server-sent events of a network as a client sees them, each checked against the document."""

import contextlib
import json


class Stream:
    def __init__(self, api, reply, last_id):
        self.api, self.lines, self.last_id = api, reply.iter_lines(chunk_size=1, decode_unicode=True), last_id
        if last_id is None:
            self.next()  # the first id: what happens from now on is heard

    def next(self):
        """The next event as (name, data); a heartbeat is (None, None)."""
        name, data = None, None
        for line in self.lines:
            field, _, value = line.partition(": ")
            if field == "id":
                self.last_id = value
            elif field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
            elif line == "":
                break
        else:
            raise AssertionError("the stream has ended")
        if name not in (None, "lost"):
            self.api.validate(data, {"$ref": "#/components/schemas/NetworkEvent"}, name)
            assert data["kind"] == name
        return name, data

    def find(self, name, **wanted):
        """The next event of that name with those values; the ones before it are passed over."""
        while True:
            found, data = self.next()
            if found == name and wanted.items() <= data.items():
                return data


@contextlib.contextmanager
def event_stream(api, caller, tenant, network, last_id=None):
    headers = {"Last-Event-ID": last_id} if last_id else {}
    reply = api.send("GET", f"/v1/tenants/{tenant}/networks/{network}/events", caller, headers=headers, stream=True)
    with contextlib.closing(reply):
        assert reply.status_code == 200, reply.text
        assert reply.headers["Content-Type"] == "text/event-stream"
        assert reply.headers["Trace-Id"]
        api.succeeded.add("streamNetworkEvents")
        yield Stream(api, reply, last_id)
