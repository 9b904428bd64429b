/*
 * oauth: the methods of proto/oauth.proto, one C file a subject. What OAuth calls an error is a
 * reply with `error` set: the transaction is committed all the same, since some errors end what
 * they are about. Bus workers run them.
 */
#pragma once

#include "lib/call.h"
#include "proto/oauth.pb-c.h"

/* The settings, once, before the first thread. */
struct oauth_settings {
	long session_days;    /* how long what a person allowed holds */
	bool rotate;	      /* each refresh gives a new refresh token */
	long refresh_grace_s; /* a used refresh token works so long if its successor wasn't used */
};
void oauth_open(const struct oauth_settings *settings);
const struct oauth_settings *oauth_settings(void);

/* Forgets codes, authorizations and sign-ins that are over. A task. */
err_t oauth_purge(struct call *call) MUST_CHECK;

/* ---- site.c ---- */
err_t create_site(
	struct call *call, const Auth__CreateSiteRequest *request, Auth__Site *reply) MUST_CHECK;
err_t get_site(struct call *call, const Auth__Ref *request, Auth__Site *reply) MUST_CHECK;
err_t list_sites(
	struct call *call, const Auth__ListRequest *request, Auth__SiteList *reply) MUST_CHECK;
err_t delete_site(struct call *call, const Auth__Ref *request, Auth__Empty *reply) MUST_CHECK;
err_t find_site(struct call *call, const Auth__FindSiteRequest *request,
	Auth__SiteTenant *reply) MUST_CHECK;

/* ---- client.c ---- */
err_t create_oauth_client(struct call *call, const Auth__CreateOauthClientRequest *request,
	Auth__OauthClient *reply) MUST_CHECK;
err_t get_oauth_client(
	struct call *call, const Auth__Ref *request, Auth__OauthClient *reply) MUST_CHECK;
err_t list_oauth_clients(struct call *call, const Auth__ListRequest *request,
	Auth__OauthClientList *reply) MUST_CHECK;
err_t delete_oauth_client(
	struct call *call, const Auth__Ref *request, Auth__Empty *reply) MUST_CHECK;

/* ---- authorization.c ---- */
err_t list_authorizations(struct call *call, const Auth__OwnListRequest *request,
	Auth__AuthorizationList *reply) MUST_CHECK;
err_t end_authorization(
	struct call *call, const Auth__OwnRef *request, Auth__Empty *reply) MUST_CHECK;

/* ---- authorize.c ---- */
err_t check_authorization(struct call *call, const Auth__AuthorizationRequest *request,
	Auth__AuthorizationCheck *reply) MUST_CHECK;
err_t authorize(struct call *call, const Auth__AuthorizeRequest *request,
	Auth__AuthorizationCode *reply) MUST_CHECK;

/* ---- exchange.c ---- */
err_t exchange_token(
	struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply) MUST_CHECK;

/* ---- device.c ---- */
err_t authorize_device(struct call *call, const Auth__DeviceAuthorizationRequest *request,
	Auth__DeviceAuthorization *reply) MUST_CHECK;
err_t check_user_code(struct call *call, const Auth__UserCodeRequest *request,
	Auth__UserCodeCheck *reply) MUST_CHECK;
err_t decide_user_code(struct call *call, const Auth__DecideUserCodeRequest *request,
	Auth__Empty *reply) MUST_CHECK;

/* ---- introspect.c ---- */
err_t introspect_token(struct call *call, const Auth__IntrospectRequest *request,
	Auth__Introspection *reply) MUST_CHECK;
err_t check_access(struct call *call, const Auth__CheckAccessRequest *request,
	Auth__Introspection *reply) MUST_CHECK;
err_t revoke_token(struct call *call, const Auth__RevokeTokenRequest *request,
	Auth__RevokeTokenReply *reply) MUST_CHECK;

/* ---- sign_in.c ---- */
err_t create_sign_in(
	struct call *call, const Auth__SignInRequest *request, Auth__SignIn *reply) MUST_CHECK;
err_t get_sign_in(
	struct call *call, const Auth__SignInRef *request, Auth__SignIn *reply) MUST_CHECK;
err_t confirm_sign_in(struct call *call, const Auth__ConfirmSignInRequest *request,
	Auth__ConfirmSignInReply *reply) MUST_CHECK;
err_t delete_sign_in(
	struct call *call, const Auth__SignInRef *request, Auth__Empty *reply) MUST_CHECK;
err_t list_sign_ins(
	struct call *call, const Auth__OwnListRequest *request, Auth__SignInList *reply) MUST_CHECK;
err_t end_sign_in(struct call *call, const Auth__OwnRef *request, Auth__Empty *reply) MUST_CHECK;

/* ---- own_password.c ---- */
err_t change_password(struct call *call, const Auth__ChangePasswordRequest *request,
	Auth__ChangePasswordReply *reply) MUST_CHECK;

/* ---- sign_in_policy.c ---- */
err_t get_sign_in_policy(
	struct call *call, const Auth__Empty *request, Auth__SignInPolicy *reply) MUST_CHECK;
err_t update_sign_in_policy(struct call *call, const Auth__UpdateSignInPolicyRequest *request,
	Auth__SignInPolicy *reply) MUST_CHECK;
