/*
 * lanyard-auth: tenants, users, roles, API keys, enrolment keys, device credentials, token signing
 * keys.
 *
 * Bus:    services auth.Auth, auth.Oauth, auth.SecondFactors, auth.Groups, auth.Invitations,
 *         auth.IdentityProviders and auth.Federations, of
 *         the files in proto/ with these names; publishes the events Revoked, Resumed and Keys.
 * State:  schema auth (db/migrations/0002_auth.sql and later ones).
 * Keys:   all of its own are derived from the one in LANYARD_AUTH_KEY_FILE.
 */
#include "lib/keyring.h"
#include "lib/log.h"
#include "lib/svc.h"
#include "services/auth/attempt/attempt.h"
#include "services/auth/bootstrap.h"
#include "services/auth/federation/federation.h"
#include "services/auth/group/group.h"
#include "services/auth/handlers.h"
#include "services/auth/invitation/invitation.h"
#include "services/auth/oauth/oauth.h"
#include "services/auth/outside/txt.h"
#include "services/auth/password.h"
#include "services/auth/provider/fetch.h"
#include "services/auth/provider/provider.h"
#include "services/auth/second_factor/second_factor.h"
#include "services/auth/sign_token.h"
#include "services/auth/signing_key.h"
#include "services/auth/tenant.h"

#define START_MS	30000
#define ROTATION_TASK_S 60
#define PURGE_TASK_S	600
#define TENANT_TASK_S	5

static struct {
	const char *key_file;
	const char *bootstrap_file;
	const char *issuer;
	long rotation_hours;
	long grace_hours;
	const char *provider_ca_file;
	long provider_private;
	const char *resolver;
	long session_days, refresh_rotation, refresh_grace_s;
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
	{ "LANYARD_TENANT_GRACE_HOURS", "720", &settings.grace_hours, CONFIG_INT,
		"hours in which a deleted tenant can be restored", 0, 87600 },
	{ "LANYARD_PROVIDER_CA_FILE", "", &settings.provider_ca_file, CONFIG_TEXT,
		"certificates that identity providers are trusted by; empty: the system's", 0, 0 },
	{ "LANYARD_PROVIDER_PRIVATE", "0", &settings.provider_private, CONFIG_INT,
		"1: identity providers of tenants may be at private addresses", 0, 1 },
	{ "LANYARD_RESOLVER", "", &settings.resolver, CONFIG_TEXT,
		"ADDRESS:PORT of the DNS server that tells whose the host of a site is; empty: the "
		"system's",
		0, 0 },
	{ "LANYARD_SESSION_DAYS", "90", &settings.session_days, CONFIG_INT,
		"days that what a person allowed an app holds", 1, 3650 },
	{ "LANYARD_REFRESH_ROTATION", "1", &settings.refresh_rotation, CONFIG_INT,
		"1: each refresh gives a new refresh token; 0: the first one stays", 0, 1 },
	{ "LANYARD_REFRESH_GRACE_S", "30", &settings.refresh_grace_s, CONFIG_INT,
		"seconds that a used refresh token is taken again, if its successor was not used",
		0, 600 },
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
HANDLER(delete_tenant, Ref, Tenant, TENANT)
HANDLER(create_user, CreateUserRequest, User, USER)
HANDLER(get_user, Ref, User, USER)
HANDLER(list_users, ListRequest, UserList, USER_LIST)
HANDLER(update_user, UpdateUserRequest, User, USER)
HANDLER(delete_user, Ref, Empty, EMPTY)
HANDLER(ensure_user, NamedUserRequest, NamedUser, NAMED_USER)
HANDLER(remove_user, NamedUserRequest, Empty, EMPTY)
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

#define OAUTH(method, Request, Reply, REPLY)                                      \
	BUS_HANDLER(Auth__Oauth_Service, method, Auth__##Request, Auth__##Reply, \
		AUTH__##REPLY##__INIT)

OAUTH(create_site, CreateSiteRequest, Site, SITE)
OAUTH(get_site, Ref, Site, SITE)
OAUTH(list_sites, ListRequest, SiteList, SITE_LIST)
OAUTH(delete_site, Ref, Empty, EMPTY)
OAUTH(find_site, FindSiteRequest, SiteTenant, SITE_TENANT)
OAUTH(create_oauth_client, CreateOauthClientRequest, OauthClient, OAUTH_CLIENT)
OAUTH(get_oauth_client, Ref, OauthClient, OAUTH_CLIENT)
OAUTH(list_oauth_clients, ListRequest, OauthClientList, OAUTH_CLIENT_LIST)
OAUTH(delete_oauth_client, Ref, Empty, EMPTY)
OAUTH(list_authorizations, OwnListRequest, AuthorizationList, AUTHORIZATION_LIST)
OAUTH(end_authorization, OwnRef, Empty, EMPTY)
OAUTH(check_authorization, AuthorizationRequest, AuthorizationCheck, AUTHORIZATION_CHECK)
OAUTH(authorize, AuthorizeRequest, AuthorizationCode, AUTHORIZATION_CODE)
OAUTH(exchange_token, TokenRequest, TokenReply, TOKEN_REPLY)
OAUTH(authorize_device, DeviceAuthorizationRequest, DeviceAuthorization, DEVICE_AUTHORIZATION)
OAUTH(check_user_code, UserCodeRequest, UserCodeCheck, USER_CODE_CHECK)
OAUTH(decide_user_code, DecideUserCodeRequest, Empty, EMPTY)
OAUTH(introspect_token, IntrospectRequest, Introspection, INTROSPECTION)
OAUTH(check_access, CheckAccessRequest, Introspection, INTROSPECTION)
OAUTH(revoke_token, RevokeTokenRequest, RevokeTokenReply, REVOKE_TOKEN_REPLY)
OAUTH(create_sign_in, SignInRequest, SignIn, SIGN_IN)
OAUTH(get_sign_in, SignInRef, SignIn, SIGN_IN)
OAUTH(confirm_sign_in, ConfirmSignInRequest, ConfirmSignInReply, CONFIRM_SIGN_IN_REPLY)
OAUTH(delete_sign_in, SignInRef, Empty, EMPTY)
OAUTH(list_sign_ins, OwnListRequest, SignInList, SIGN_IN_LIST)
OAUTH(end_sign_in, OwnRef, Empty, EMPTY)
OAUTH(change_password, ChangePasswordRequest, ChangePasswordReply, CHANGE_PASSWORD_REPLY)
OAUTH(get_sign_in_policy, Empty, SignInPolicy, SIGN_IN_POLICY)
OAUTH(update_sign_in_policy, UpdateSignInPolicyRequest, SignInPolicy, SIGN_IN_POLICY)

#define GROUP(method, Request, Reply, REPLY)                                          \
	BUS_HANDLER(Auth__Groups_Service, method, Auth__##Request, Auth__##Reply, \
		AUTH__##REPLY##__INIT)

GROUP(create_group, CreateGroupRequest, Group, GROUP)
GROUP(get_group, Ref, Group, GROUP)
GROUP(list_groups, ListRequest, GroupList, GROUP_LIST)
GROUP(update_group, UpdateGroupRequest, Group, GROUP)
GROUP(delete_group, Ref, Empty, EMPTY)
GROUP(list_group_members, GroupMembersRequest, UserList, USER_LIST)
GROUP(change_group_members, ChangeGroupMembersRequest, Empty, EMPTY)

#define FACTOR(method, Request, Reply, REPLY)                                                \
	BUS_HANDLER(Auth__SecondFactors_Service, method, Auth__##Request, Auth__##Reply, \
		AUTH__##REPLY##__INIT)

FACTOR(get_second_factor, Ref, SecondFactor, SECOND_FACTOR)
FACTOR(enrol_totp, EnrolTotpRequest, EnrolTotpReply, ENROL_TOTP_REPLY)
FACTOR(check_totp, CheckTotpRequest, CheckTotpReply, CHECK_TOTP_REPLY)
FACTOR(disable_second_factor, CheckTotpRequest, CheckTotpReply, CHECK_TOTP_REPLY)
FACTOR(renew_recovery_codes, CheckTotpRequest, RecoveryCodes, RECOVERY_CODES)
FACTOR(reset_second_factor, Ref, Empty, EMPTY)

#define INVITATION(method, Request, Reply, REPLY)                                       \
	BUS_HANDLER(Auth__Invitations_Service, method, Auth__##Request, Auth__##Reply, \
		AUTH__##REPLY##__INIT)

INVITATION(create_invitation, CreateInvitationRequest, Invitation, INVITATION)
INVITATION(get_invitation, Ref, Invitation, INVITATION)
INVITATION(list_invitations, ListRequest, InvitationList, INVITATION_LIST)
INVITATION(delete_invitation, Ref, Empty, EMPTY)
INVITATION(check_invitation, InvitationSecret, InvitationOffer, INVITATION_OFFER)
INVITATION(accept_invitation, AcceptInvitationRequest, User, USER)

#define PROVIDER(method, Request, Reply, REPLY)                                               \
	BUS_HANDLER(Auth__IdentityProviders_Service, method, Auth__##Request, Auth__##Reply, \
		AUTH__##REPLY##__INIT)

PROVIDER(create_identity_provider, CreateIdentityProviderRequest, IdentityProvider, IDENTITY_PROVIDER)
PROVIDER(get_identity_provider, Ref, IdentityProvider, IDENTITY_PROVIDER)
PROVIDER(list_identity_providers, ListRequest, IdentityProviderList, IDENTITY_PROVIDER_LIST)
PROVIDER(delete_identity_provider, Ref, Empty, EMPTY)
PROVIDER(begin_visit, BeginVisitRequest, Visit, VISIT)
PROVIDER(end_visit, EndVisitRequest, VisitEnd, VISIT_END)

#define FEDERATION(method, Request, Reply, REPLY)                                        \
	BUS_HANDLER(Auth__Federations_Service, method, Auth__##Request, Auth__##Reply, \
		AUTH__##REPLY##__INIT)

FEDERATION(get_federation, Empty, Federation, FEDERATION)
FEDERATION(set_federation, FederationList, Federation, FEDERATION)
FEDERATION(delete_federation, Ref, Empty, EMPTY)
/* clang-format on */

static Auth__Auth_Service service = AUTH__AUTH__INIT(on_);
static Auth__Oauth_Service oauth_service = AUTH__OAUTH__INIT(on_);
static Auth__SecondFactors_Service factor_service = AUTH__SECOND_FACTORS__INIT(on_);
static Auth__Groups_Service group_service = AUTH__GROUPS__INIT(on_);
static Auth__Invitations_Service invitation_service = AUTH__INVITATIONS__INIT(on_);
static Auth__IdentityProviders_Service provider_service = AUTH__IDENTITY_PROVIDERS__INIT(on_);
static Auth__Federations_Service federation_service = AUTH__FEDERATIONS__INIT(on_);
static ProtobufCService *const services[] = { &service.base, &oauth_service.base,
	&factor_service.base, &group_service.base, &invitation_service.base, &provider_service.base,
	&federation_service.base, NULL };

static const struct svc_task tasks[] = {
	{ "rotate_keys", ROTATION_TASK_S, signing_key_rotate },
	{ "purge_oauth", PURGE_TASK_S, oauth_purge },
	{ "purge_code_attempts", PURGE_TASK_S, second_factor_purge },
	{ "purge_invitations", PURGE_TASK_S, invitation_purge },
	{ "purge_visits", PURGE_TASK_S, visit_purge },
	{ "purge_guests", PURGE_TASK_S, guest_purge },
	{ "end_tenants", TENANT_TASK_S, tenant_end },
	{ "purge_password_attempts", PURGE_TASK_S, attempt_purge },
	{ NULL, 0, NULL },
};

static err_t check(struct fault *fault)
{
	if (txt_open(settings.resolver))
		return OK;
	return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_RESOLVER",
		"expected an IPv4 address and a port: 127.0.0.1:53");
}

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
	attempt_open();
	second_factor_open();
	sign_token_open(settings.issuer);
	signing_key_open(settings.rotation_hours);
	tenant_open(settings.grace_hours);
	fetch_open(settings.provider_ca_file, settings.provider_private != 0);
	oauth_open(&(struct oauth_settings){
		.session_days = settings.session_days,
		.rotate = settings.refresh_rotation != 0,
		.refresh_grace_s = settings.refresh_grace_s,
	});
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
	.check = check,
	.start = start,
};

int main(int argc, char **argv)
{
	return svc_main(&definition, argc, argv);
}
