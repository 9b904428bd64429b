"""PowerDNS with lanyard-dns' side of its remote backend, and with SQLite and PostgreSQL: each with the same names."""

import pathlib
import secrets
import shlex
import socket
import subprocess
import time

SQLITE_SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"
PGSQL_SCHEMA = "/usr/share/pdns-backend-pgsql/schema/schema.pgsql.sql"
CHALLENGE = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo"


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def statements(names):
    """SQL for the records that lanyard-dns has of as many names."""
    def rows(n):
        name = f"name{n}.box.test"
        return [(name, "A", "192.0.2.1", 60), (name, "AAAA", "2001:db8::1", 60), (name, "HTTPS", "1 .", 60),
                (name, "CAA", '0 issue "ca.test"', 60), ("_acme-challenge." + name, "TXT", f'"{CHALLENGE}"', 1)]

    yield "BEGIN;"
    yield "INSERT INTO domains (id, name, type) VALUES (1, 'box.test', 'NATIVE');"
    top = [("box.test", "SOA", "ns1.box.test. hostmaster.box.test. 1 3600 600 86400 5", 60),
           ("box.test", "NS", "ns1.box.test.", 60), ("box.test", "CAA", '0 issue "ca.test"', 60),
           ("ns1.box.test", "A", "127.0.0.1", 60)]
    for group in [top] + [rows(n) for n in range(names)]:
        values = ", ".join(f"(1, '{name}', '{kind}', '{content}', {ttl}, true)" for name, kind, content, ttl in group)
        yield f"INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES {values};"
    yield "COMMIT;"


# Who receives a question answers it, as docs/names.md has it; and how PowerDNS comes.
THREADS = {"": "distributor-threads=1\nreceiver-threads=2", ", 3 distributors": "distributor-threads=3"}


class Server:
    """One PowerDNS, all its caches off."""

    def __init__(self, stack, tools, folder, name, backend):
        self.tools, self.port = tools, free_port()
        home = folder / name.replace(" ", "-")
        home.mkdir()
        (home / "pdns.conf").write_text(
            f"{backend}\nlocal-address=127.0.0.1\nlocal-port={self.port}\nsocket-dir={home}\ncache-ttl=0\n"
            "query-cache-ttl=0\nnegquery-cache-ttl=0\nzone-cache-refresh-interval=300\nsecurity-poll-suffix=\n"
            "loglevel=0\ndisable-syslog=yes\n")
        process = subprocess.Popen(["pdns_server", f"--config-dir={home}", "--guardian=no", "--daemon=no"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.kill)
        for _ in range(100):
            if self.ask(1, 1, 100)[0] > 0:
                return
            time.sleep(0.1)
        raise AssertionError(f"PowerDNS with {name} does not answer")

    def ask(self, names, outstanding, ms):
        """(answers a second, p99 in ms)"""
        done = subprocess.run([str(self.tools / "names_questions"), str(self.port), str(names), str(outstanding), str(ms)],
                              check=True, stdout=subprocess.PIPE, text=True)
        return tuple(float(word) for word in done.stdout.split())


def sqlite(folder, names):
    path = folder / "names.sqlite"
    script = f".read {SQLITE_SCHEMA}\n" + "\n".join(statements(names)).replace(", true)", ", 1)")
    subprocess.run(["sqlite3", str(path)], input=script, check=True, text=True)
    return f"launch=gsqlite3\ngsqlite3-database={path}"


def pgsql(stack, folder, names):
    """On a cluster that scripts/bench's PostgreSQL makes and that ends with the benchmark."""
    root = pathlib.Path(__file__).resolve().parents[3]
    cluster = subprocess.Popen([str(root / "tests/postgres"), "sh", "-c", 'echo "$LANYARD_TEST_DATABASE_URL"; cat >&2'],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.callback(cluster.wait)
    stack.callback(cluster.stdin.close)
    url = cluster.stdout.readline().strip()
    host = url.split("host=")[1].split("&")[0]
    database = "pdns_" + secrets.token_hex(4)
    psql = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", host, "-U", "postgres"]
    subprocess.run([*psql, "-c", f"CREATE DATABASE {database}"], check=True)
    script = pathlib.Path(PGSQL_SCHEMA).read_text() + "\n".join(statements(names)) + "\nANALYZE;"
    subprocess.run([*psql, "-d", database], input=script, check=True, text=True)
    return (f"launch=gpgsql\ngpgsql-host={host}\ngpgsql-user=postgres\ngpgsql-dbname={database}")


def start_all(stack, tools, folder, names):
    path = folder / "socket"
    backend = subprocess.Popen(shlex.split(f"{tools}/names_backend {path} {names}"), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    stack.callback(backend.wait)
    stack.callback(backend.stdin.close)
    figures = tuple(float(word) for word in backend.stdout.readline().split())
    for _ in range(100):
        if path.exists():
            break
        time.sleep(0.1)
    ours = Server(stack, tools, folder, "ours", f"launch=remote\nremote-connection-string=unix:path={path}\n{THREADS['']}")
    ours.figures = figures
    peers = {"SQLite": sqlite(folder, names), "PostgreSQL": pgsql(stack, folder, names)}
    return {"ours": ours, **{name + how: Server(stack, tools, folder, name + how, f"{backend}\n{threads}")
                             for name, backend in peers.items() for how, threads in THREADS.items()}}
