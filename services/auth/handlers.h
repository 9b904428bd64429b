/*
 * handlers: the methods of proto/auth.proto, one C file a subject. Each checks its request, calls
 * the store in the call's transaction, and fills the reply in the call's arena. Bus workers run
 * them.
 */
#pragma once

#include "lib/call.h"
#include "proto/auth.pb-c.h"

/* ---- tenant.c ---- */
err_t create_tenant(struct call *call, const Auth__CreateTenantRequest *request,
	Auth__Tenant *reply) MUST_CHECK;
err_t get_tenant(struct call *call, const Auth__Ref *request, Auth__Tenant *reply) MUST_CHECK;
err_t list_tenants(
	struct call *call, const Auth__ListRequest *request, Auth__TenantList *reply) MUST_CHECK;
err_t update_tenant(struct call *call, const Auth__UpdateTenantRequest *request,
	Auth__Tenant *reply) MUST_CHECK;
err_t delete_tenant(struct call *call, const Auth__Ref *request, Auth__Tenant *reply) MUST_CHECK;

/* ---- user.c ---- */
err_t create_user(
	struct call *call, const Auth__CreateUserRequest *request, Auth__User *reply) MUST_CHECK;
err_t get_user(struct call *call, const Auth__Ref *request, Auth__User *reply) MUST_CHECK;
err_t list_users(
	struct call *call, const Auth__ListRequest *request, Auth__UserList *reply) MUST_CHECK;
err_t update_user(
	struct call *call, const Auth__UpdateUserRequest *request, Auth__User *reply) MUST_CHECK;
err_t delete_user(struct call *call, const Auth__Ref *request, Auth__Empty *reply) MUST_CHECK;

/* ---- named_user.c ---- */
err_t ensure_user(struct call *call, const Auth__NamedUserRequest *request,
	Auth__NamedUser *reply) MUST_CHECK;
err_t remove_user(
	struct call *call, const Auth__NamedUserRequest *request, Auth__Empty *reply) MUST_CHECK;

/* ---- api_key.c ---- */
err_t create_api_key(struct call *call, const Auth__CreateApiKeyRequest *request,
	Auth__ApiKey *reply) MUST_CHECK;
err_t get_api_key(struct call *call, const Auth__Ref *request, Auth__ApiKey *reply) MUST_CHECK;
err_t list_api_keys(
	struct call *call, const Auth__ListRequest *request, Auth__ApiKeyList *reply) MUST_CHECK;
err_t delete_api_key(struct call *call, const Auth__Ref *request, Auth__Empty *reply) MUST_CHECK;

/* ---- enrolment_key.c ---- */
err_t create_enrolment_key(struct call *call, const Auth__CreateEnrolmentKeyRequest *request,
	Auth__EnrolmentKey *reply) MUST_CHECK;
err_t get_enrolment_key(
	struct call *call, const Auth__Ref *request, Auth__EnrolmentKey *reply) MUST_CHECK;
err_t list_enrolment_keys(struct call *call, const Auth__ListRequest *request,
	Auth__EnrolmentKeyList *reply) MUST_CHECK;
err_t revoke_enrolment_key(
	struct call *call, const Auth__Ref *request, Auth__EnrolmentKey *reply) MUST_CHECK;
err_t redeem_enrolment_key(struct call *call, const Auth__RedeemEnrolmentKeyRequest *request,
	Auth__Grant *reply) MUST_CHECK;

/* ---- device_secret.c ---- */
err_t issue_device_secret(struct call *call, const Auth__IssueDeviceSecretRequest *request,
	Auth__DeviceSecret *reply) MUST_CHECK;

/* ---- revocation.c ---- */
err_t revoke(struct call *call, const Auth__RevokeRequest *request, Auth__Empty *reply) MUST_CHECK;

/* ---- authenticate.c ---- */
err_t authenticate(
	struct call *call, const Auth__Credential *request, Auth__Principal *reply) MUST_CHECK;

/* ---- signing_key.c, sign_token.c ---- */
err_t sign_token(
	struct call *call, const Auth__SignTokenRequest *request, Auth__Token *reply) MUST_CHECK;
err_t get_keys(struct call *call, const Auth__Empty *request, Auth__KeySet *reply) MUST_CHECK;
err_t rotate_keys(struct call *call, const Auth__Empty *request, Auth__KeySet *reply) MUST_CHECK;
