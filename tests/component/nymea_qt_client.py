"""A client of nymea's pairing on Qt's own WebSocket, as the original is: Hello, Authenticate, and then what it reads from
standard input goes to the other client, and what that says to standard output.

usage: nymea_qt_client.py URL TOKEN NONCE NAME
"""

import json
import sys

from PyQt5.QtCore import QCoreApplication, QSocketNotifier, QUrl
from PyQt5.QtNetwork import QSslConfiguration, QSslSocket
from PyQt5.QtWebSockets import QWebSocket, QWebSocketProtocol


class Client:
    def __init__(self, url, token, nonce, name):
        self.params = {"name": name, "nonce": nonce, "token": token, "uuid": f"{{{name}}}"}
        self.socket = QWebSocket("libnymea-remoteproxyclient", QWebSocketProtocol.Version13)
        configuration = QSslConfiguration.defaultConfiguration()
        configuration.setPeerVerifyMode(QSslSocket.VerifyNone)
        self.socket.setSslConfiguration(configuration)
        self.socket.connected.connect(lambda: self.call("RemoteProxy.Hello"))
        self.socket.textMessageReceived.connect(self.answered)
        self.socket.disconnected.connect(self.ended)
        self.socket.open(QUrl(url))

    def call(self, method, **params):
        self.socket.sendTextMessage(json.dumps({"id": 0, "method": method, "params": params}) + "\n")

    def answered(self, text):
        document = json.loads(text)
        params = document.get("params", {})
        if "server" in params:
            assert params["server"] == "nymea-remoteproxy", params
            self.call("Authentication.Authenticate", **self.params)
        elif document.get("notification") == "RemoteProxy.TunnelEstablished":
            print("met", params["name"], params["uuid"], flush=True)
            self.socket.textMessageReceived.disconnect()
            self.socket.textMessageReceived.connect(lambda text: print(text, end="", flush=True))
            self.notifier = QSocketNotifier(0, QSocketNotifier.Read)
            self.notifier.activated.connect(self.typed)
        else:
            assert params["authenticationError"] == "AuthenticationErrorNoError", params

    def typed(self):
        line = sys.stdin.readline()
        if line:
            self.socket.sendTextMessage(line)
        else:
            self.socket.close()

    def ended(self):
        print("closed", self.socket.closeCode(), self.socket.closeReason(), flush=True)
        QCoreApplication.exit(0)


application = QCoreApplication(sys.argv)
client = Client(*sys.argv[1:])
sys.exit(application.exec())
