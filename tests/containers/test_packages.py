"""Debian packages, systemd units, manual pages and the program that makes a fleet's keys, from the build folder
LANYARD_BUILD. What Debian's lintian says of the packages, and what they do on a machine, is in test_units.py."""

import gzip
import os
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("LANYARD_BUILD", ROOT / "build/test")).resolve()
SERVICES = ["auth", "provision", "rendezvous", "dns", "gateway", "dataplane"]
UNITS = [f"lanyard@{name}.service" for name in SERVICES] + ["lanyard-agent.service"]

def run(*command, status=0, **more):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, **more)
    assert done.returncode == status, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The packages by their names."""
    folder = tmp_path_factory.mktemp("packages")
    run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", folder, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip",
        cwd=BUILD)
    return {file.name.split("_")[0]: file for file in folder.glob("*.deb")}


@pytest.fixture(scope="module")
def root(packages, tmp_path_factory):
    """A folder that looks like a machine with both packages and systemd."""
    folder = tmp_path_factory.mktemp("root")
    for file in packages.values():
        run("dpkg-deb", "-x", file, folder)
    for target in pathlib.Path("/usr/lib/systemd/system").glob("*.target"):
        (folder / "usr/lib/systemd/system" / target.name).write_bytes(target.read_bytes())
    return folder


def test_packages_depend_on_the_libraries_of_their_binaries(packages):
    assert sorted(packages) == ["lanyard-agent", "lanyard-services"]
    agent = run("dpkg-deb", "-f", packages["lanyard-agent"], "Depends")
    services = run("dpkg-deb", "-f", packages["lanyard-services"], "Depends")
    assert "libmnl0" in agent and "libnng1" not in agent
    assert "libnng1" in services and "libpq5" in services and "postgresql-client" in services


def test_settings_survive_an_upgrade(packages, root):
    for name, file in packages.items():
        listed = subprocess.run(["dpkg-deb", "-I", file, "conffiles"], check=True, stdout=subprocess.PIPE, text=True).stdout
        shipped = run("sh", "-c", f"dpkg-deb -c '{file}' | awk '/ \\.\\/etc\\/.*[^\\/]$/ {{ print substr($6, 2) }}'")
        assert sorted(listed.split()) == sorted(shipped.split()), name


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_sound_and_locked_up(root, unit):
    assert run("systemd-analyze", f"--root={root}", "--man=no", "verify", unit) == ""
    told = run("systemd-analyze", f"--root={root}", "--offline=true", "security", unit)
    level = float(re.search(r"Overall exposure level for .*: ([0-9.]+)", told).group(1))
    assert level < (3 if unit == "lanyard-agent.service" else 2), told


@pytest.mark.parametrize("service", SERVICES)
def test_units_give_each_service_what_it_requires(root, service):
    """The unit's settings and those of /etc/lanyard are all known to the service, and none is missing."""
    folder = root / "usr/lib/systemd/system"
    texts = [(folder / "lanyard@.service").read_text()]
    texts += [file.read_text() for file in sorted((folder / f"lanyard@{service}.service.d").glob("*.conf"))]
    settings = dict(re.findall(r'^Environment="?(\w+)=([^"\n]*)"?$', "\n".join(texts), re.M))
    settings.update(re.findall(r"^(\w+)=(.*)$", (root / f"etc/lanyard/{service}.env").read_text(), re.M))
    told = run(BUILD / "bin" / f"lanyard-{service}", "--check", env={"PATH": os.environ["PATH"], **settings})
    assert "LANYARD_OPS_LISTEN=127.0.0.1:910" in told


def test_every_program_has_its_manual(root):
    programs = [*(root / "usr/bin").iterdir(), *(root / "usr/sbin").iterdir()]
    assert len(programs) == len(SERVICES) + 3
    for program in programs:
        section = 8 if program.parent.name == "sbin" else 1
        page = root / f"usr/share/man/man{section}/{program.name}.{section}.gz"
        told = run("man", "--warnings", "-E", "UTF-8", "-l", page, env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
        assert f"{program.name} - " in told and "warning" not in told, told


def test_the_manual_has_every_option_of_help(root):
    page = gzip.decompress((root / "usr/share/man/man1/lanyard.1.gz").read_bytes()).decode().replace("\\-", "-")
    commands = re.findall(r"^  ([a-z]+)  ", run(BUILD / "bin/lanyard", "--help"), re.M)
    assert {"enroll", "up", "packages"} <= set(commands)
    for command in commands:
        for option in re.findall(r"^  (--[a-z-]+)", run(BUILD / "bin/lanyard", command, "--help"), re.M):
            assert option in page, (command, option)


# ---- keys ----

def keys(*arguments, **more):
    return run(ROOT / "scripts/keys", *arguments, **more)


def state_of(folder):
    return {str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mode & 0o777, file.stat().st_uid)
            for file in folder.rglob("*") if file.is_file()}


def test_keys_are_made_once_and_for_those_that_need_them(tmp_path):
    keys("--uids", 59901, "--name", "vpn.example", tmp_path)
    before = state_of(tmp_path)
    for n, service in enumerate(SERVICES):
        assert before[f"secrets/{service}.pgpass"][1:] == (0o400, 59901 + n)
    for name, (_, mode, _) in before.items():
        assert mode & 0o027 == 0 or name.startswith("tls/"), name
    (tmp_path / "secrets/dns.key").unlink()
    assert keys("--uids", 59901, "--name", "vpn.example", tmp_path) == ""
    after = state_of(tmp_path)
    assert [name for name in before if before[name] != after[name]] == ["secrets/dns.key"]


def test_keys_stay_with_who_makes_them_and_follow_their_names(tmp_path):
    """A name that the authority vouches for is added; one that it does not is refused, and nothing changes."""
    keys("--name", "vpn.example", tmp_path)
    before = state_of(tmp_path)
    assert {uid for _, _, uid in before.values()} == {os.getuid()}
    told = keys("--name", "other.example", tmp_path, status=1)
    assert "was made for other names" in told
    assert state_of(tmp_path) == before
    keys("--name", "a.vpn.example", tmp_path)
    assert "DNS:a.vpn.example" in run("openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", tmp_path / "tls/server.crt")
    run("openssl", "verify", "-CAfile", tmp_path / "tls/ca.crt", "-verify_hostname", "a.vpn.example", tmp_path / "tls/server.crt")


def test_containers_can_read_the_secrets_that_they_use_and_no_others(tmp_path):
    """Each as the user and in the groups that docker-compose.yml gives it. All are in one volume, which is writable for auth alone."""
    tmp_path.chmod(0o755)
    keys("--uids", 59901, tmp_path)
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = {name: service for name, service in services.items() if service.get("image") == "lanyard-services"}
    assert len(ours) == len(SERVICES)
    for name, service in ours.items():
        uid, gid = service["user"].split(":")
        can = run("setpriv", "--reuid", uid, "--regid", gid, "--groups", ",".join([gid, *service.get("group_add", [])]), "--bounding-set=-all",
                  "--inh-caps=-all", "sh", "-c", "find secrets -type f -readable 2>&- || true", cwd=tmp_path).split()
        uses = re.findall(r"/var/lib/lanyard/(secrets/[\w./]+)", " ".join(service["environment"].values()))
        assert sorted(can) == sorted(set(uses) - {"secrets/auth/bootstrap"}), name  # which auth makes itself
    assert [name for name, service in ours.items() if "secrets:/var/lib/lanyard" in service["volumes"]] == ["auth"]


def test_keys_give_a_key_that_was_there_to_those_that_need_it_only(tmp_path):
    """As it was readable for all services before; also that of a certificate of another authority, which is never replaced."""
    keys("--uids", 59901, tmp_path)
    certificate, key = tmp_path / "tls/server.crt", tmp_path / "secrets/server.key"
    shown = certificate.read_bytes()
    os.chown(key, 0, 59900)
    keys("--uids", 59901, tmp_path)
    assert (key.stat().st_gid, certificate.read_bytes()) == (59899, shown)
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=vpn.example", "-keyout", key, "-out", certificate)
    key.chmod(0o600)
    shown = certificate.read_bytes()
    keys("--uids", 59901, "--name", "localhost", tmp_path)
    assert (key.stat().st_gid, key.stat().st_mode & 0o777, certificate.read_bytes()) == (59899, 0o640, shown)


@pytest.mark.parametrize("arguments", [[], ["--uids", "zero", "x"], ["--uids", "2", "x"], ["--name", "a b", "x"], ["--what", "x"], ["x", "y"]])
def test_keys_refuses_what_it_does_not_know(tmp_path, arguments):
    done = subprocess.run([ROOT / "scripts/keys", *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode in (1, 2) and done.stdout
    assert list(tmp_path.iterdir()) == []
