"""The faces for nymea's clients as their operator sees them: who judges tokens, the monitor and the log engine, the
original's configuration file, and settings that are refused."""

import http.server
import json
import socket
import ssl
import subprocess
import threading
import time

import pytest

from nymea_client import WAIT_S, Server, WebSocket, pair, register_client, token
from nymea_world import PATIENT, Process, World, free_port, wait_for


@pytest.fixture(scope="session")
def world():
    world = World()
    yield world
    world.close()


# ---- who judges tokens ----

class Judge(http.server.BaseHTTPRequestHandler):
    """The HTTP authorizer of a tenant, and both services of AWS."""

    asked = []
    headers_seen = []

    def reply(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(200, {"AccessKeyId": "AKID", "SecretAccessKey": "secret", "Token": "session"})

    def do_POST(self):
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, document))
        self.headers_seen.append(self.headers)
        token = document["token"]
        if token == "broken":
            self.reply(500, {})
        elif self.path == "/authorize":
            self.reply(403 if token == "forbidden" else 200,
                       {"allowed": token.startswith("good"), "name": "carol@example.com"})
        else:
            self.reply(200, {"isValid": token.startswith("good"),
                             "verifiedData": {"verifiedParsedToken": {"email": "carol@example.com"}}})

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def judge():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Judge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def authentication(client, *args, **more):
    return client.authenticate(*args, **more)["params"]["authenticationError"]


def test_a_service_of_the_tenant_judges(world, judge):
    node = world.node(LANYARD_NYMEA_AUTHENTICATOR="http", LANYARD_NYMEA_AUTHORIZER_URL=judge + "/authorize",
                      LANYARD_NYMEA_ALONE_TIMEOUT_MS="20000")
    for bad, error in (("bad", "AuthenticationFailed"), ("forbidden", "AuthenticationFailed"),
                       ("broken", "ProxyError")):
        client = node.ws()
        assert authentication(client, bad) == "AuthenticationError" + error
        client.expect_closed("API call was not successfully.")
    good = "good-" + token()
    one = node.ws().expect_success(good, "n", name="one", uuid="{1}")
    assert Judge.asked[-1] == ("/authorize", {"token": good, "nonce": "n", "uuid": "{1}", "name": "one"})
    count = len(Judge.asked)
    one.close()
    one = node.ws().expect_success(good, "n", name="one", uuid="{1}")
    assert len(Judge.asked) == count, "a yes is remembered"
    two = node.tcp().expect_success(good, "n")
    one.expect_tunnel(), two.expect_tunnel()


def test_a_lambda_function_judges(world, judge):
    node = world.node(LANYARD_NYMEA_AUTHENTICATOR="aws", LANYARD_NYMEA_AWS_ENDPOINT=judge,
                      LANYARD_NYMEA_AWS_CREDENTIALS_URL=judge + "/credentials",
                      LANYARD_NYMEA_AWS_FUNCTION="check", LANYARD_NYMEA_AUTHENTICATION_TIMEOUT_MS="1500",
                      LANYARD_NYMEA_ALONE_TIMEOUT_MS="20000")
    wait_for("credentials", lambda: authentication(node.ws(), "bad") == "AuthenticationErrorAuthenticationFailed")
    assert authentication(node.ws(), "broken") == "AuthenticationErrorTimeout", "an HTTP error is no answer"
    good = "good-" + token()
    one, two = node.ws().expect_success(good), node.ws().expect_success(good)
    one.expect_tunnel(), two.expect_tunnel()
    assert Judge.asked[-1] == ("/2015-03-31/functions/check/invocations", {"token": good})
    headers = Judge.headers_seen[-1]
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "/eu-west-1/lambda/aws4_request" in headers["Authorization"]
    assert "x-amz-security-token" in headers["Authorization"] and headers["x-amz-security-token"] == "session"
    assert headers["x-amz-invocation-type"] == "RequestResponse"


def test_without_credentials_of_aws_nobody_is_judged(world):
    node = world.node(LANYARD_NYMEA_AUTHENTICATOR="aws",
                      LANYARD_NYMEA_AWS_CREDENTIALS_URL=f"http://127.0.0.1:{free_port()}/")
    assert authentication(node.ws(), "good") == "AuthenticationErrorProxyError"


# ---- what an operator sees ----

def watch(path):
    watcher = socket.socket(socket.AF_UNIX)
    watcher.settimeout(WAIT_S)
    watcher.connect(str(path))
    return watcher, watcher.makefile("rb")


def test_a_monitor_is_told_each_second_or_when_it_asks(world):
    path, prefix = world.folder / "monitor.sock", world.folder / "engine"
    node = world.node(**PATIENT, LANYARD_NYMEA_MONITOR_SOCKET=str(path), LANYARD_NYMEA_LOG_ENGINE=str(prefix))
    one, two = pair(node.ws(), node.tcp())
    alone = node.ws().expect_success(token(), name="carol", uuid="{3}")
    server = Server(node.tcp("TUNNEL_TCP"))
    visitor = node.tcp("TUNNEL_TCP")
    register_client(visitor, server.uuid)
    one.send("x" * 1000)
    two.receive(1000)
    old, lines = watch(path)
    document = wait_for("a second with traffic", lambda: json.loads(lines.readline()))
    statistic = document["proxyStatistic"]
    assert (document["apiVersion"], document["serverName"], document["serverVersion"]) == ("0.3", "ny-test", "0.1.7")
    assert (statistic["clientCount"], statistic["tunnelCount"]) == (3, 1)
    assert statistic["total"]["totalTraffic"] >= 1000 and statistic["total"]["totalTunnelCount"] >= 1
    carol = [client for client in statistic["clients"] if client["name"] == "carol"][0]
    assert carol["authenticated"] and not carol["tunnelConnected"] and carol["address"] == "127.0.0.1"
    assert carol["userName"] == "dummy@example.com" and carol["uuid"] == "{3}"
    ids = {client["id"] for client in statistic["clients"] if client["tunnelConnected"]}
    assert {statistic["tunnels"][0]["clientOne"], statistic["tunnels"][0]["clientTwo"]} == ids
    new, lines = watch(path)
    new.sendall(b'{"method":"refresh","params":{"printAll":true}}')
    document = json.loads(lines.readline())
    if "proxyStatistic" in document:  # the push of a second came first
        document = json.loads(lines.readline())
    assert document["apiVersion"] == "6" and "proxyStatistic" not in document
    [listed] = document["tunnelProxyStatistic"]["tunnelConnections"]
    assert listed["serverUuid"] == server.uuid and listed["clientConnections"][0]["name"] == "cliB"
    new.sendall(b"anything else")
    assert lines.read() == b""
    one.close()
    two.expect_closed()
    line = wait_for("the tunnel's line", lambda: (world.folder / "engine-tunnels.log").exists()
                    and (world.folder / "engine-tunnels.log").read_text().split())
    assert line[2:5] == ["dummy@example.com", "127.0.0.1", "127.0.0.1"] and line[5:] == ["1000"]
    one, two = pair(node.ws(), node.tcp())
    one.send("y" * 2000)
    two.receive(2000)
    two.socket.shutdown(socket.SHUT_WR)  # one direction ends first: still one tunnel
    one.expect_closed("Tunnel client disconnected")
    two.expect_closed()
    node.ws().call("RemoteProxy.Hello")
    lines = (world.folder / "engine-tunnels.log").read_text().splitlines()
    assert [line.split()[5] for line in lines] == ["1000", "2000"]
    line = (world.folder / "engine-statistics.log").read_text().splitlines()[0].split()
    assert len(line) == 4 and abs(int(line[0]) - time.time()) < 600
    alone.close(), old.close()


def test_the_two_cadences_of_monitors(world):
    path = world.folder / "cadence.sock"
    world.node(**PATIENT, LANYARD_NYMEA_MONITOR_SOCKET=str(path))
    pushed, pushes = watch(path)
    asking, answers = watch(path)
    asking.sendall(b'{"method":"refresh","params":{}}')
    while "proxyStatistic" in json.loads(answers.readline()):
        pass  # pushed before it had asked
    for _ in range(3):
        assert "proxyStatistic" in json.loads(pushes.readline())
    for _ in range(2):
        asking.sendall(b'{"method":"refresh","params":{}}')
        assert "proxyStatistic" not in json.loads(answers.readline()), "who asks is not pushed to"
    pushed.sendall(b"x")
    while "proxyStatistic" in json.loads(pushes.readline() or "{}"):
        pass
    assert pushes.read() == b"", "other bytes end it"


def test_the_original_s_configuration_file(world):
    ports = [free_port() for _ in range(4)]
    configuration = world.folder / "nymea-remoteproxy.conf"
    configuration.write_text(
        f"""[ProxyServer]\nname=from-file\nwriteLogs=false\nlogFile=/var/log/nymea-remoteproxy.log\n
        logEngineEnabled=false\nmonitorSocket={world.folder}/m.sock\njsonRpcTimeout=10000\n
        authenticationTimeout=8000\ninactiveTimeout=8000\naloneTimeout=8000\n
        [SSL]\nenabled=true\ncertificate={world.cert}\ncertificateKey={world.key}\ncertificateChain=\n
        [WebSocketServer]\nhost=127.0.0.1\nport={ports[0]}\n[TcpServer]\nhost=127.0.0.1\nport={ports[1]}\n
        [WebSocketServerTunnelProxy]\nport={ports[2]}\n[TcpServerTunnelProxy]\nport={ports[3]}\n""")
    node = world.node(["-c", str(configuration), "-m", "--verbose", "-d"], LANYARD_NYMEA_TLS="true")
    node.ports = dict(zip(("PAIR_WS", "PAIR_TCP", "TUNNEL_WS", "TUNNEL_TCP"), ports))
    wait_for("the node", lambda: node.is_open("TUNNEL_TCP") or node.process.poll() is not None)
    for client in (node.ws(), node.tcp(), node.ws("TUNNEL_WS"), node.tcp("TUNNEL_TCP")):
        assert client.call("RemoteProxy.Hello")["params"]["name"] == "from-file"
    pair(node.ws(), node.tcp())


# ---- what is set ----

def test_the_chain_of_the_configuration_file_is_shown(world):
    """An authority, one between, and a server's certificate, each in a file of its own, as the original has them."""
    folder = world.folder / "chain"
    folder.mkdir()

    def make(name, issuer, extension):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-addext", extension, "-keyout", folder / f"{name}.key",
                        "-out", folder / f"{name}.pem", *([] if issuer is None else
                        ["-CA", folder / f"{issuer}.pem", "-CAkey", folder / f"{issuer}.key"])],
                       check=True, stderr=subprocess.DEVNULL)

    make("root", None, "keyUsage=keyCertSign")
    make("between", "root", "keyUsage=keyCertSign")
    make("localhost", "between", "subjectAltName=DNS:localhost")
    configuration = folder / "nymea-remoteproxy.conf"
    ports = [free_port() for _ in range(4)]
    configuration.write_text(
        f"[SSL]\ncertificate={folder}/localhost.pem\ncertificateKey={folder}/localhost.key\n"
        f"certificateChain={folder}/between.pem\n[WebSocketServer]\nport={ports[0]}\n[TcpServer]\nport={ports[1]}\n"
        f"[WebSocketServerTunnelProxy]\nport={ports[2]}\n[TcpServerTunnelProxy]\nport={ports[3]}\n")
    node = world.node(["-c", str(configuration), "-m"], LANYARD_NYMEA_TLS="true")
    node.ports["PAIR_WS"] = ports[0]
    wait_for("the node", lambda: node.is_open("PAIR_WS") or node.process.poll() is not None)
    trust = ssl.create_default_context(cafile=folder / "root.pem")
    assert WebSocket(ports[0], trust).call("RemoteProxy.Hello")["status"] == "success"


def test_ports_are_never_open_without_tls_by_mistake(world):
    process = Process(world, "dataplane", LANYARD_LISTEN="127.0.0.1:0", LANYARD_NYMEA_PAIR_WS=f"127.0.0.1:{free_port()}")
    assert process.process.wait(timeout=WAIT_S) == 1
    assert "LANYARD_NYMEA_TLS_CERT: expected a certificate" in process.log()


def test_mock_is_for_loopback_only(world):
    process = Process(world, "dataplane", LANYARD_NYMEA_AUTHENTICATOR="mock", LANYARD_NYMEA_PAIR_WS="0.0.0.0:0")
    assert process.process.wait(timeout=WAIT_S) == 2
    assert "loopback" in process.log()
