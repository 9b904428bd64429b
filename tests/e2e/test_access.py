"""Every operation of the API by every role, with every scope, in the own tenant and in others. The operations are those of
/v1/openapi.yaml, what each needs is its x-scope and x-fleet, and who has that is the table in docs/api.md: an operation
or scope that is not told of there fails the test."""

import base64
import concurrent.futures
import json
import re
import uuid

import pytest

from api_client import Caller, NOBODY, bearer, parameters_of
from api_world import FLEET, PASSWORD, ROLES, admin, api, fleet_users, stranger  # fixtures too
from conftest import ROOT
from tenant_world import of, tenant, world  # fixtures

KINDS = ROLES + ["device"]
WRONG = {"no": "such field"}
INSIDE = {400, 404, 415}  # refused for what it asks, no more for who asks


def grants():
    """Scope to the roles that have it, from the table that operators read."""
    found = {"*": set(KINDS)}
    for line in (ROOT / "docs/api.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 1 + len(KINDS) and set(cells[1:]) <= {"x", ""}:
            roles = {role for role, cell in zip(KINDS, cells[1:]) if cell}
            found.update({scope: roles for scope in re.sub(r"\(.*?\)", "", cells[0]).replace(" ", "").split(",")})
    return found


GRANTS = grants()


@pytest.fixture(scope="module")
def closed(api):
    operations = [o for o in api.operations.values() if not o.open]
    untold = {o.id: o.scope for o in operations if o.scope not in GRANTS}
    assert not untold, f"docs/api.md says nothing of these scopes: {untold}"
    return operations


def knock(api, operation, caller, tenant):
    """Calls an operation in a way that changes nothing, whoever may: with an id of nothing, and a wrong body or query."""
    url = operation.path.format(tenant=tenant, id=uuid.uuid4())
    body = {"json": WRONG} if operation.method in ("POST", "PATCH", "PUT") else {"params": WRONG}
    status = api.send(operation.method, url, caller, **body).status_code
    assert str(status) in operation.schema["responses"], f"{operation.id}: {status} is not in the document"
    return status


def check(api, cases):
    """(operation, caller, tenant, statuses that are right)."""
    def run(case):
        operation, caller, tenant, right = case
        status = knock(api, operation, caller, tenant)
        return f"{operation.id} by {caller} in {tenant}: {status}, not {right}" if status not in right else None

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        wrong = [found for found in pool.map(run, cases) if found]
    assert not wrong, "\n".join(wrong[:50])
    assert cases


def right(operation, role, scopes, home=True):
    """The documented rule, for somebody of the tenant of the path (or of the fleet's: home False)."""
    if operation.fleet and home:
        return {403}
    if role not in GRANTS[operation.scope] or (scopes is not None and operation.scope not in scopes | {"*"}):
        return {403}
    return INSIDE | ({403} if operation.id == "createNarrowToken" else set())  # which has a rule of its own: test_tokens


@pytest.fixture(scope="module")
def limited(api, tenant, of):
    """(role, scope) to a token that has this scope only, and to a key that has all of its role but this."""
    callers = {}
    for role in ROLES:
        mine = sorted(scope for scope, roles in GRANTS.items() if role in roles and scope not in ("*", "keys:write"))
        for scope in mine:
            token = api.ok("createNarrowToken", tenant.keys[role], {"scopes": [scope]}, **of)["access_token"]
            rest = [other for other in mine if other != scope]
            key = api.ok("createApiKey", tenant.owner, {"name": f"{role} {scope}", "role": role, "scopes": rest}, **of)
            callers[role, scope] = (bearer(f"{role} with {scope}", token), bearer(f"{role} without {scope}", key["secret"]),
                                    set(rest))
    return callers


def test_each_role_in_its_own_tenant(api, closed, tenant, world):
    everyone = [(role, who[role]) for who in (tenant.users, tenant.keys) for role in ROLES] + [("device", world.basic)]
    check(api, [(operation, caller, tenant.id, right(operation, role, None))
                for operation in closed for role, caller in everyone])


def test_each_scope(api, closed, tenant, limited):
    cases = []
    for operation in closed:
        for (role, scope), (only, without, rest) in limited.items():
            if scope == operation.scope:
                cases += [(operation, only, tenant.id, right(operation, role, {scope})),
                          (operation, without, tenant.id, right(operation, role, rest))]
    check(api, cases)


def test_each_role_of_the_fleet_in_a_tenant(api, closed, tenant, fleet_users):
    check(api, [(operation, caller, tenant.id, right(operation, role, None, home=False))
                for operation in closed for role, caller in fleet_users.items()])


def test_another_tenant_is_not_there(api, closed, tenant, stranger, world):
    """Somebody else's tenant is 404 like an unknown one, for whatever role and operation."""
    callers = [stranger.owner, *stranger.keys.values()]
    check(api, [(operation, caller, other, {404})
                for operation in closed if "tenant" in parameters_of(operation.path) for caller in callers
                for other in ((tenant.id,) if caller is not stranger.owner else
                              (tenant.id, str(uuid.uuid4()), FLEET, tenant.name))])


def test_a_token_of_an_attachment_is_for_the_network_only(api, closed, tenant, world):
    check(api, [(operation, world.token, tenant.id, {403} if operation.scope not in ("network:attach", "*") else INSIDE | {403})
                for operation in closed])


def stable(export):
    """What of an export changes only by a change."""
    return {name: [{k: v for k, v in item.items() if not k.endswith(("used_at", "seen_at"))} for item in items]
            for name, items in export["resources"].items() if isinstance(items, list)}


def test_ids_of_another_tenant_are_unknown(api, closed, tenant, stranger, of, world):
    before = stable(api.ok("exportTenant", tenant.owner, **of))
    tried = set()
    for operation in closed:
        words = operation.path.split("/")
        if parameters_of(operation.path) != ["tenant", "id"]:
            continue
        for item in before.get(words[4], [])[:1]:
            reply = api.send(operation.method, operation.path.format(tenant=stranger.id, id=item["id"]), stranger.owner,
                             **({"json": {}} if operation.method in ("POST", "PATCH", "PUT") else {}))
            allowed = {404, 400} if operation.method in ("POST", "PUT") else {404}  # an empty body may be refused first
            assert reply.status_code in allowed, f"{operation.id}: {reply.status_code} {reply.text}"
            tried.add(words[4])
    assert {"users", "api-keys", "networks", "devices", "members", "zones", "registrations", "certificates", "sites",
            "oauth-clients", "authorizations", "invitations", "portal-devices", "rollouts", "groups", "identity-providers",
            "profiles", "notices", "vpn-servers"} <= tried
    assert stable(api.ok("exportTenant", tenant.owner, **of)) == before
    assert api.call("createMember", stranger.owner, {"network": before["networks"][0]["id"], "device": world.id},
                    tenant=stranger.id).status_code == 404


def test_another_tenant_sees_nothing(api, closed, tenant, stranger, of, world):
    ids = {item["id"] for items in stable(api.ok("exportTenant", tenant.owner, **of)).values() for item in items if "id" in item}
    text = json.dumps(api.ok("exportTenant", stranger.owner, tenant=stranger.id))
    for operation in closed:
        if operation.id.startswith("list") and parameters_of(operation.path) == ["tenant"] and not operation.fleet:
            text += json.dumps(api.ok(operation.id, stranger.owner, tenant=stranger.id))
    assert len(ids) > 30 and not [one for one in ids if one in text]


# ---- nobody ----

def forged(token):
    """The same claims under algorithm none, and with a claim changed."""
    head, claims, signature = token.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))
    decoded["role"] = "owner"
    changed = base64.urlsafe_b64encode(json.dumps(decoded).encode()).rstrip(b"=").decode()
    return [f"{none}.{claims}.", f"{none}.{claims}.{signature}", f"{head}.{changed}.{signature}", f"{head}.{claims}."]


def test_nobody_gets_in(api, closed, tenant, world):
    token = tenant.users["member"].authorization.split()[1]
    key = tenant.keys["owner"].authorization.split()[1]
    wrong = [Caller(t, "Bearer " + t) for t in forged(token)]
    wrong += [Caller(a, a) for a in ("Bearer x", "Bearer", "Digest a=b", "Bearer lyk_AAAA", "Basic !", "lyk_" + key)]
    other = "A" if key[-9] != "A" else "B"
    wrong += [Caller("key", f"Bearer {key[:-9]}{other}{key[-8:]}"), Caller("device", basic=(world.id, "lyd_wrong")),
              Caller("no device", basic=(str(uuid.uuid4()), world.basic.basic[1])), Caller("user", basic=("owner", PASSWORD))]
    check(api, [(operation, NOBODY, tenant.id, {401}) for operation in closed])
    for caller in wrong:
        assert api.call("listNetworks", caller, tenant=tenant.id).status_code == 401, caller
        assert api.call("attach", caller, {}).status_code == 401, caller
    for body in ({"tenant_name": tenant.name, "user": "owner", "password": "wrong password"},
                 {"tenant_name": tenant.name, "user": "nobody", "password": PASSWORD},
                 {"tenant_name": "no-such-tenant", "user": "owner", "password": PASSWORD},
                 {"api_key": "lyk_AAAA"}, {}):
        assert api.call("createToken", NOBODY, body).status_code in (400, 401), body
