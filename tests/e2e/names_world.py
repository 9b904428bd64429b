"""What the tests of names act with: the registration API as a client without any account, dig, a service with other
settings, and a mailbox. Fixture `fleet` is that of conftest.py."""

import asyncore
import email
import re
import secrets
import smtpd
import subprocess
import threading
import time

import pytest

from api_client import WAIT_S, wait_for

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ZONE = "box.lanyard.test"
FAILURES = {"SERVFAIL", "no answer"}  # to a question; resolvers ask again


class Names:
    """The registration API, as a client without any account."""

    def __init__(self, fleet):
        self.fleet = fleet

    def get(self, path, **parameters):
        return self.request("GET", path, params=parameters)

    def request(self, method, path, **more):
        # Strangers have a limit for their address: who is told to wait, waits. So does who meets a service that starts.
        for _ in range(60):
            reply = self.fleet.session.request(method, self.fleet.base_url + path, verify=self.fleet.ca_file,
                                               timeout=WAIT_S, **more)
            if reply.status_code not in (429, 503):
                return reply
            time.sleep(int(reply.headers.get("Retry-After", 1)))
        raise AssertionError("always told to wait")

    def subscribe(self, **more):
        label = "n" + secrets.token_hex(6)
        reply = self.get("/subscribe", name=label, **more)
        assert reply.status_code == 200, reply.text
        return label, reply.json()["token"]


@pytest.fixture
def names(fleet):
    return Names(fleet)


def psql(fleet, statement):
    return subprocess.run(["psql", "-XAtq", "-d", f"postgresql:///lanyard?host={fleet.var}/run/postgres&user=postgres",
                           "-c", statement], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def dig(fleet, *question):
    """(status, sorted contents)"""
    text = subprocess.run(["dig", "@127.0.0.1", "-p", str(fleet.dns_port), "+norecurse", "+tries=1", "+time=5", "+noall",
                           "+comments", "+answer", *question], stdout=subprocess.PIPE, text=True).stdout
    lines = [line.split(None, 4) for line in text.splitlines() if line and line[0] != ";"]
    status = re.search(r"status: ([A-Z]+)", text)
    return status.group(1) if status else "no answer", sorted(f"{line[3]} {line[4]}" for line in lines)


def ask_often(fleet, name, kind):
    """What became of the questions, each from another port, so that every thread of PowerDNS gets some. One that is
    answered without content counts as a denial."""
    answers = [dig(fleet, name, kind) for _ in range(20)]
    return {status if content or status in FAILURES else "denied" for status, content in answers}


def settings_of(fleet, service, **more):
    """Lets the service start again with these settings too; what it returns undoes that."""
    def start_again():
        fleet.sv("restart", service)
        wait_for(service, fleet.is_ready)
        # PowerDNS notices with a question that lanyard-dns was away, and fails to answer that one.
        wait_for("PowerDNS", lambda: service != "dns" or ask_often(fleet, ZONE, "SOA") == {"NOERROR"})

    run = fleet.var / "service" / service / "run"
    text = run.read_text()
    added = " ".join(f"'{name}={value}'" for name, value in more.items())
    run.write_text(text.replace("exec env -i", f"exec env -i {added}", 1))
    start_again()

    def undo():
        run.write_text(text)
        start_again()
    return undo


class Mailbox(smtpd.SMTPServer):
    def __init__(self):
        self.map = {}
        self.messages = []
        super().__init__(("127.0.0.1", 0), None, map=self.map)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=asyncore.loop, kwargs={"map": self.map, "timeout": 0.1}, daemon=True).start()

    def process_message(self, peer, mailfrom, rcpttos, data, **more):
        self.messages.append((rcpttos, email.message_from_bytes(data)))

    def wait_for(self, recipient):
        return wait_for("a mail", lambda: next((message for to, message in self.messages if to == [recipient]), None))


@pytest.fixture
def mailbox(fleet):
    box = Mailbox()
    undo = settings_of(fleet, "dns", LANYARD_DNS_MAIL_URL=f"smtp://127.0.0.1:{box.port}")
    yield box
    undo()
    box.close()
