"""The first registration, as somebody with a phone sees it: in the local network http://gateway.local leads to the device's
MAC name over https, there a name is chosen, and the browser ends up at that name. Debian's Chromium, which trusts pebble's
root and finds names by rules of its own: no port of this test is 443."""

import os
import re
import subprocess

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from agent_world import run
from api_client import wait_for
from api_world import admin, api, stranger, tenant  # fixtures
from conftest import free_ports
from expose_world import CERTIFICATE_S, authority, box, make_box  # fixtures too
from test_names import ZONE


class Browser:
    def __init__(self, folder, roots, page_port, https_port):
        self.home = folder / "home"
        store = self.home / ".pki/nssdb"
        store.mkdir(parents=True)
        (folder / "root.pem").write_text(roots)
        for words in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "pebble", "-i", folder / "root.pem"]):
            done = run("certutil", "-d", f"sql:{store}", *words)
            assert done.returncode == 0, done.stdout
        options = webdriver.ChromeOptions()
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
                     "--window-size=390,844", f"--user-data-dir={folder / 'profile'}",
                     f"--host-resolver-rules=MAP gateway.local:80 127.0.0.1:{page_port}, "
                     f"MAP *.{ZONE}:443 127.0.0.1:{https_port}"):
            options.add_argument(word)
        self.driver = webdriver.Chrome(options=options, service=Driver(
            "/usr/bin/chromedriver", env={**os.environ, "HOME": str(self.home)}))
        self.driver.set_page_load_timeout(60)

    def wait(self, what, condition):
        WebDriverWait(self.driver, CERTIFICATE_S, ignored_exceptions=[Exception]).until(lambda _: condition(), what)

    def heading(self):
        return self.driver.find_element(By.TAG_NAME, "h1").text

    def wait_for_heading(self, words):
        self.wait(words, lambda: words in self.heading())

    def picture(self, name):
        if os.environ.get("LANYARD_PICTURES"):
            self.driver.save_screenshot(f"{os.environ['LANYARD_PICTURES']}/{name}.png")

    def choose(self, name):
        field = self.driver.find_element(By.NAME, "name")
        field.clear()
        field.send_keys(name)
        self.driver.find_element(By.TAG_NAME, "button").click()


@pytest.fixture
def paged(box):
    """A new box with its page; (box, port of the page)."""
    page_port = free_ports(1)
    box.start(box.service("<!doctype html><title>home</title><h1>Welcome home</h1>").port, "--tls", "--page",
              f"127.0.0.1:{page_port}")
    return box, page_port


@pytest.fixture
def browser(fleet, paged, authority, tmp_path):
    browser = Browser(tmp_path, authority.roots(), paged[1], fleet.https_port)
    yield browser
    browser.driver.quit()


def test_the_first_name(fleet, api, stranger, paged, browser):
    box, _ = paged
    name, taken = "home" + box.mac[-6:], "gone" + box.mac[-6:]
    api.ok("createRegistration", stranger.owner, {"name": taken}, tenant=stranger.id)
    browser.driver.get("http://gateway.local/")
    browser.picture("1-moment")
    browser.wait_for_heading("Choose a name")
    assert browser.driver.current_url == f"https://{box.mac_name}/"
    browser.picture("2-choose")

    browser.choose(taken)
    browser.wait("a word about it", lambda: "is taken" in browser.driver.find_element(By.CLASS_NAME, "wrong").text)
    browser.picture("3-taken")
    browser.choose(name.upper())
    browser.wait("progress", lambda: browser.heading() in ("Almost there", "It is ready", "Welcome home"))
    browser.picture("4-almost")
    browser.wait("the end", lambda: browser.heading() in ("It is ready", "Welcome home"))
    browser.picture("5-ready")
    browser.wait_for_heading("Welcome home")
    assert browser.driver.current_url == f"https://{name}.{ZONE}/"

    process = box.processes[0]
    box.stop(process)  # what was chosen is known the next time
    box.start(box.service("x").port, "--tls")
    wait_for("both names", lambda: {n["name"] for n in box.status().get("names", [])} == {box.mac_name, f"{name}.{ZONE}"})


def curl(*words):
    return run("curl", "-sS", "-i", "--noproxy", "*", "--max-time", "20", *words).stdout


def test_only_who_is_near_gets_in(fleet, paged, tmp_path):
    box, page_port = paged
    page = f"http://127.0.0.1:{page_port}/"
    key = wait_for("a way to the page", lambda: re.search(r"Location: https://[^/]+/\?key=([0-9a-f]{32})", curl(page)),
                   CERTIFICATE_S).group(1)

    # A page from the internet whose name was made to lead here gets no key.
    for host in "evil.example", box.mac_name, "", "local", ".local", "127.0.0.1.evil.example":
        answer = curl(page, "-H", f"Host: {host}")
        assert "403 Forbidden" in answer or "400 Bad Request" in answer, (host, answer)
        assert "key=" not in answer
    for host in "gateway.local", "GATEWAY.local:80", "192.168.1.1", "[fd00::1]:80", "localhost":
        assert "key=" in curl(page, "-H", f"Host: {host}"), host

    (tmp_path / "roots").write_text(box.authority.roots())
    port = fleet.https_port
    site = f"https://{box.mac_name}:{port}"
    https = ["--cacert", tmp_path / "roots", "--resolve", f"{box.mac_name}:{port}:127.0.0.1"]
    for words in ([site + "/"], [site + "/?key=" + "0" * 32], [site + "/?key="], [site + "/", "-H", "Cookie: __Host-lanyard="],
                  [site + "/name", "-d", "name=mine", "-H", f"Origin: {site}"],
                  [site + "/", "-H", "Cookie: __Host-lanyard=" + key]):
        answer = curl(*https, *words)
        assert "403 Forbidden" in answer and "Please come from the local network" in answer, (words, answer)

    answer = curl(*https, f"{site}/?key={key}")
    cookie = re.search(r"Set-Cookie: (__Host-lanyard=[0-9a-f]{32}); Path=/; Secure; HttpOnly; SameSite=Lax", answer).group(1)
    assert "403 Forbidden" in curl(*https, f"{site}/?key={key}")  # a key is good once
    answer = curl(*https, site + "/", "-H", f"Cookie: {cookie}")
    assert "Choose a name" in answer
    for header in ("Cache-Control: no-store", "Referrer-Policy: same-origin", "Content-Security-Policy: default-src 'none'"):
        assert header in answer

    # Forms of other pages, and names that are none.
    for origin in "https://evil.example", "null", f"https://{box.mac_name}.evil.example", f"http://{box.mac_name}":
        assert "403 Forbidden" in curl(*https, site + "/name", "-d", "name=mine", "-H", f"Cookie: {cookie}", "-H",
                                       f"Origin: {origin}"), origin
    answer = curl(*https, site + "/name", "-d", "name=<script>", "-H", f"Cookie: {cookie}", "-H", f"Origin: {site}")
    assert "400 Bad Request" in answer and "<script>" not in answer and "A name has 1 to 63 letters" in answer
    assert len(box.status()["names"]) == 1
    text = subprocess.run(["grep", "-c", key, box.folder / "expose.log"], stdout=subprocess.PIPE, text=True).stdout
    assert text.strip() == "0"
