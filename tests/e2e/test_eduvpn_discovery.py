"""What an app learns before anybody has signed in (contract app-api, statements 1 to 9), and the signed lists of sites."""

import base64
import email.utils
import json
import os
import pathlib
import subprocess
import time

import pytest
import requests

from api_client import WAIT_S, wait_for
from api_world import admin, api, site_of, tenant  # fixtures too
from eduvpn_world import API2, API3, raw
from oauth_world import APP, REDIRECT, App, Browser, back


@pytest.fixture(scope="module", autouse=True)
def site(api, admin, tenant):
    with site_of(api, admin, tenant.id) as site:
        yield site


def test_old_apps_find_the_api_of_their_time(fleet):
    for path in ("/info.json", "//info.json"):
        reply = raw(fleet, "GET", path)
        assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/json"
        found = reply.json()["api"][API2]
        assert found == {"api_base_uri": fleet.base_url + "/vpn-user-portal/api.php",
                         "authorization_endpoint": fleet.base_url + "/vpn-user-portal/_oauth/authorize",
                         "token_endpoint": fleet.base_url + "/vpn-user-portal/oauth.php/token"}


def test_apps_of_today_find_both_apis_and_nothing_that_they_stumble_over(fleet):
    reply = raw(fleet, "GET", "/.well-known/vpn-user-portal")
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    found = reply.json()
    assert set(found) == {"api", "v"} and isinstance(found["v"], str) and set(found["api"]) == {API2, API3}
    assert found["api"][API3] == {"api_endpoint": fleet.base_url + "/vpn-user-portal/api.php/v3",
                                  "authorization_endpoint": fleet.base_url + "/vpn-user-portal/_oauth/authorize",
                                  "token_endpoint": fleet.base_url + "/vpn-user-portal/oauth.php/token"}
    assert found["api"][API2]["api_base_uri"] == fleet.base_url + "/vpn-user-portal/api.php"


@pytest.mark.parametrize("path", ["/info.json.sig", "//info.json.sig"])
def test_the_signature_that_the_first_apps_ask_for_is_not_there(fleet, path):
    assert raw(fleet, "GET", path).status_code == 404


@pytest.mark.parametrize("path", ["/info.json", "//info.json", "/.well-known/vpn-user-portal"])
def test_discovery_is_read_only(fleet, path):
    for method in ("POST", "PUT"):
        reply = raw(fleet, method, path)
        assert reply.status_code == 405 and reply.headers["Allow"] == "GET"
    head = raw(fleet, "HEAD", path)
    assert head.status_code == 200 and head.content == b"" and int(head.headers["Content-Length"]) > 0


def test_a_host_where_nobody_signs_in_has_no_apis(fleet):
    for path in ("/info.json", "/.well-known/vpn-user-portal"):
        assert raw(fleet, "GET", path, headers={"Host": "elsewhere.example"}).status_code == 404


def test_the_endpoints_that_apps_are_sent_to_let_them_in(fleet):
    apis = requests.get(fleet.base_url + "/info.json", verify=fleet.ca_file, timeout=WAIT_S).json()["api"][API2]
    app, browser = App(fleet), Browser(fleet)
    path = apis["authorization_endpoint"].removeprefix(fleet.base_url) + app.path().removeprefix("/oauth/authorize")
    page = browser.ask("GET", path)
    assert page.status_code == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert browser.sign_in(path).headers["Location"] == path
    answer = back(browser.ask("POST", path, data={"approve": "yes"}))
    assert answer["iss"] == fleet.base_url + "/"
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": REDIRECT, "client_id": APP,
            "code_verifier": app.verifier}
    tokens = app.post(apis["token_endpoint"].removeprefix(fleet.base_url), **form)
    assert tokens.status_code == 200 and tokens.json()["token_type"] == "bearer"


# ---- lists ----

OLD = {"authorization_type": "local", "seq": 17, "instances": [
    {"base_uri": "https://demo.example.org/", "display_name": {"en-US": "Demo", "nl-NL": "Demo é"}}]}
NEW = {"server_list": [{"server_type": "institute_access", "base_url": "https://demo.example.org/",
                        "display_name": "Demo", "keyword_list": "demo"}]}


def instances(*arguments):
    binary = pathlib.Path(os.environ["LANYARD_BUILD"]) / "bin/lanyard"
    return subprocess.run([str(binary), "instances", *map(str, arguments)], text=True, timeout=WAIT_S,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def done(*arguments):
    ran = instances(*arguments)
    assert ran.returncode == 0, ran.stdout
    return ran.stdout.split()


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """The file of a key, and both forms of its public half."""
    path = tmp_path_factory.mktemp("key") / "key"
    return (path, *done("key", "--key", path))


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def test_a_list_of_old_apps_is_signed_and_openssl_believes_it(key, tmp_path):
    file = write(tmp_path / "institute_access.json", OLD)
    for seq in ("18", "19"):
        assert done("sign", "--key", key[0], "--list", file) == ["seq", seq]
        assert done("verify", "--public", key[1], "--list", file) == ["good,", "seq", seq]
    signature = (tmp_path / "institute_access.json.sig").read_text()
    assert len(signature) == 88 and len(base64.b64decode(signature, validate=True)) == 64
    (tmp_path / "raw").write_bytes(base64.b64decode(signature))
    # SubjectPublicKeyInfo of Ed25519 (RFC 8410)
    (tmp_path / "public.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + base64.b64decode(key[1]))
    openssl = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", tmp_path / "public.der", "-rawin",
               "-in", file, "-sigfile", tmp_path / "raw"]
    assert subprocess.run(openssl, stdout=subprocess.DEVNULL).returncode == 0
    assert json.loads(file.read_text())["instances"] == OLD["instances"]
    file.write_bytes(file.read_bytes().replace(b"demo", b"Demo", 1))
    changed = instances("verify", "--public", key[1], "--list", file)
    assert changed.returncode == 1 and "not of this file and key" in changed.stdout
    assert subprocess.run(openssl, stdout=subprocess.DEVNULL).returncode != 0


def test_a_list_of_today_is_signed_and_minisign_believes_it(key, tmp_path):
    file = write(tmp_path / "server_list.json", NEW)
    first = int(done("sign", "--key", key[0], "--list", file)[1])
    second = int(done("sign", "--key", key[0], "--list", file)[1])
    assert second > first >= int(time.time()) - 60
    assert done("verify", "--public", key[2], "--list", file) == ["good,", "v", str(second)]
    minisign = ["minisign", "-V", "-P", key[2], "-m", str(file)]
    assert subprocess.run(minisign, stdout=subprocess.DEVNULL).returncode == 0
    signature = tmp_path / "server_list.json.minisig"
    good = signature.read_text()
    for wrong in (good.replace("file:", "life:"), good.replace("timestamp:", "timestamp:1"), good.rstrip("\n")[:-8] + "\n", ""):
        signature.write_text(wrong)
        assert instances("verify", "--public", key[2], "--list", file).returncode == 1, wrong
        assert subprocess.run(minisign, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


@pytest.mark.parametrize("form", ["-H", "-l"])
def test_what_minisign_signs_is_believed(form, tmp_path):
    file = write(tmp_path / "server_list.json", {"v": 1, **NEW})
    subprocess.run(["minisign", "-G", "-W", "-p", tmp_path / "public", "-s", tmp_path / "secret"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["minisign", "-S", form, "-s", tmp_path / "secret", "-m", file], check=True, stdout=subprocess.DEVNULL)
    public = (tmp_path / "public").read_text().splitlines()[1]
    assert done("verify", "--public", public, "--list", file) == ["good,", "v", "1"]
    other = done("key", "--key", tmp_path / "other")[1]
    assert "of another key" in instances("verify", "--public", other, "--list", file).stdout


def test_a_list_that_apps_can_not_use_is_not_signed(key, tmp_path):
    for content, words in (({"server_list": [{"base_url": "https://x", "display_name": "x"}]}, "entry 1 of server_list"),
                           ({"instances": [{**OLD["instances"][0], "display_name": 5}]}, "display_name"),
                           ({"nothing": []}, "server_list"), ([], "JSON object")):
        refused = instances("sign", "--key", key[0], "--list", write(tmp_path / "list.json", content))
        assert refused.returncode == 2 and words in refused.stdout, refused.stdout
    assert instances("key", "--key", key[0]).returncode == 1  # a key is never replaced
    assert instances("sing", "--key", key[0]).returncode == 2
    assert (key[0].stat().st_mode & 0o777) == 0o600


@pytest.fixture(scope="module")
def published(fleet, key):
    """The folder of lists that the gateway shows."""
    folder = fleet.var / "lists"
    folder.mkdir(mode=0o755)
    run = fleet.var / "service/gateway/run"
    run.write_text(run.read_text().replace("'PATH=", "LANYARD_LISTS_FOLDER=/srv/lists 'PATH=", 1))
    fleet.sv("restart", "gateway")
    wait_for("the gateway", fleet.is_ready)
    done("sign", "--key", key[0], "--list", write(folder / "institute_access.json", OLD))
    done("sign", "--key", key[0], "--list", write(folder / "server_list.json", NEW))
    (folder / "secret").write_text("not a list")
    return folder


def test_lists_are_shown_as_they_are_and_not_twice(fleet, published):
    reply = raw(fleet, "GET", "/disco/institute_access.json")
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/json"
    assert reply.content == (published / "institute_access.json").read_bytes()
    assert raw(fleet, "GET", "/disco/institute_access.json.sig").content == (
        published / "institute_access.json.sig").read_bytes()
    assert raw(fleet, "GET", "/disco/server_list.json.minisig").status_code == 200
    changed = reply.headers["Last-Modified"]
    later = email.utils.format_datetime(email.utils.parsedate_to_datetime(changed).replace(year=2099), usegmt=True)
    earlier = email.utils.format_datetime(email.utils.parsedate_to_datetime(changed).replace(year=2001), usegmt=True)
    for headers, status in (({"If-None-Match": reply.headers["ETag"]}, 304), ({"If-None-Match": '"x"'}, 200),
                            ({"If-Modified-Since": changed}, 304), ({"If-Modified-Since": later}, 304),
                            ({"If-Modified-Since": earlier}, 200), ({"If-Modified-Since": "yesterday"}, 200),
                            ({"If-Modified-Since": later, "If-None-Match": '"x"'}, 200)):
        again = raw(fleet, "GET", "/disco/institute_access.json", headers=headers)
        assert again.status_code == status and bool(again.content) == (status == 200), headers
        assert again.headers["ETag"] == reply.headers["ETag"]
    for path in ("/disco/secret", "/disco/..%2Ftls%2Fserver.crt", "/disco/.json", "/disco/none.json", "/disco/"):
        assert raw(fleet, "GET", path).status_code == 404, path


def test_who_fetches_a_list_takes_no_older_one(fleet, published, key, tmp_path):
    file, url = tmp_path / "list.json", fleet.base_url + "/disco/institute_access.json"
    fetch = ("fetch", "--public", key[1], "--url", url, "--trust", fleet.ca_file, "--list", file)
    seq = done(*fetch)[1]
    assert done(*fetch)[1] == seq  # the same again is fine
    assert file.read_bytes() == (published / "institute_access.json").read_bytes()
    done("sign", "--key", key[0], "--list", file)
    older = instances(*fetch)
    assert older.returncode == 1 and f"the number {seq}, lower than {int(seq) + 1}" in older.stdout
    other = done("key", "--key", tmp_path / "other")[0]
    assert instances("fetch", "--public", other, *fetch[3:]).returncode == 1
