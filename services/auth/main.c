/*
 * lanyard-auth: tenants, users, roles, API keys, enrolment keys, device credentials, token signing
 * keys.
 *
 * Bus:    service auth.Auth of proto/auth.proto; publishes the events Revoked and Keys.
 * State:  schema auth (db/migrations/0002_auth.sql).
 * Keys:   all of its own are derived from the one in LANYARD_AUTH_KEY_FILE.
 */
#include "lib/keyring.h"
#include "lib/log.h"
#include "lib/svc.h"
#include "services/auth/bootstrap.h"
#include "services/auth/handlers.h"
#include "services/auth/password.h"
#include "services/auth/sign_token.h"
#include "services/auth/signing_key.h"

#define START_MS	30000
#define ROTATION_TASK_S 60

static struct {
	const char *key_file;
	const char *bootstrap_file;
	const char *issuer;
	long rotation_hours;
} settings;

static const struct config_entry config[] = {
	{ "LANYARD_AUTH_KEY_FILE", NULL, &settings.key_file, CONFIG_TEXT,
		"file with 64 hex digits, from which all keys of auth are derived", 0, 0 },
	{ "LANYARD_BOOTSTRAP_FILE", "", &settings.bootstrap_file, CONFIG_TEXT,
		"where the first operator's credentials are written once; empty: none is made", 0,
		0 },
	{ "LANYARD_ISSUER", "lanyard", &settings.issuer, CONFIG_TEXT,
		"issuer of access tokens, the same in auth, gateway and dataplane", 0, 0 },
	{ "LANYARD_KEY_ROTATION_HOURS", "24", &settings.rotation_hours, CONFIG_INT,
		"hours that a token signing key signs", 1, 8760 },
	{ NULL, NULL, NULL, CONFIG_TEXT, NULL, 0, 0 },
};

/* clang-format off */
#define HANDLER(method, Request, Reply, REPLY)                                  \
	BUS_HANDLER(Auth__Auth_Service, method, Auth__##Request, Auth__##Reply, \
		AUTH__##REPLY##__INIT)

HANDLER(create_tenant, CreateTenantRequest, Tenant, TENANT)
HANDLER(get_tenant, Ref, Tenant, TENANT)
HANDLER(list_tenants, ListRequest, TenantList, TENANT_LIST)
HANDLER(update_tenant, UpdateTenantRequest, Tenant, TENANT)
HANDLER(create_user, CreateUserRequest, User, USER)
HANDLER(get_user, Ref, User, USER)
HANDLER(list_users, ListRequest, UserList, USER_LIST)
HANDLER(update_user, UpdateUserRequest, User, USER)
HANDLER(delete_user, Ref, Empty, EMPTY)
HANDLER(create_api_key, CreateApiKeyRequest, ApiKey, API_KEY)
HANDLER(get_api_key, Ref, ApiKey, API_KEY)
HANDLER(list_api_keys, ListRequest, ApiKeyList, API_KEY_LIST)
HANDLER(delete_api_key, Ref, Empty, EMPTY)
HANDLER(create_enrolment_key, CreateEnrolmentKeyRequest, EnrolmentKey, ENROLMENT_KEY)
HANDLER(get_enrolment_key, Ref, EnrolmentKey, ENROLMENT_KEY)
HANDLER(list_enrolment_keys, ListRequest, EnrolmentKeyList, ENROLMENT_KEY_LIST)
HANDLER(revoke_enrolment_key, Ref, EnrolmentKey, ENROLMENT_KEY)
HANDLER(redeem_enrolment_key, RedeemEnrolmentKeyRequest, Grant, GRANT)
HANDLER(issue_device_secret, IssueDeviceSecretRequest, DeviceSecret, DEVICE_SECRET)
HANDLER(revoke, RevokeRequest, Empty, EMPTY)
HANDLER(authenticate, Credential, Principal, PRINCIPAL)
HANDLER(sign_token, SignTokenRequest, Token, TOKEN)
HANDLER(get_keys, Empty, KeySet, KEY_SET)
HANDLER(rotate_keys, Empty, KeySet, KEY_SET)
/* clang-format on */

static Auth__Auth_Service service = AUTH__AUTH__INIT(on_);
static ProtobufCService *const services[] = { &service.base, NULL };

static const struct svc_task tasks[] = {
	{ "rotate_keys", ROTATION_TASK_S, signing_key_rotate },
	{ NULL, 0, NULL },
};

static err_t first_key(struct call *call, void *arg)
{
	(void)arg;
	return signing_key_start(call);
}

static err_t start(struct svc *svc)
{
	struct db *db;
	struct call call;
	err_t err = keyring_open(settings.key_file);

	if (err != OK)
		return err;
	password_open();
	sign_token_open(settings.issuer);
	signing_key_open(settings.rotation_hours);
	db = svc_db_create(svc);
	call_init(&call, svc_bus(svc), "service:auth", START_MS);
	call.tenant = CALL_FLEET;
	if ((err = bootstrap_run(db, &call, settings.bootstrap_file)) == OK)
		err = db_transaction(db, &call, first_key, NULL);
	if (err != OK)
		log_error("first_keys_failed", "error=%s detail=%s", err_name(err),
			log_value(call.fault.detail));
	call_finish(&call);
	db_destroy(db);
	return err;
}

static const struct svc_definition definition = {
	.name = "auth",
	.summary = "tenants, users, keys and tokens",
	.config = config,
	.services = services,
	.schema = "auth",
	.tasks = tasks,
	.start = start,
};

int main(int argc, char **argv)
{
	return svc_main(&definition, argc, argv);
}
