/*
 * profiles: the handlers of proto/profile.proto, one function an rpc and named like it; as
 * provision.h.
 */
#pragma once

#include "lib/call.h"
#include "proto/profile.pb-c.h"

#define PROFILES_DISPLAY_NAME_MAX 64 /* bytes of what an app calls its keypair */

/* ---- profile.c ---- */

err_t create_profile(struct call *call, const Provision__ProfileRequest *request,
	Provision__Profile *reply) MUST_CHECK;
err_t get_profile(
	struct call *call, const Provision__Ref *request, Provision__Profile *reply) MUST_CHECK;
err_t list_profiles(struct call *call, const Provision__ListProfilesRequest *request,
	Provision__ProfileList *reply) MUST_CHECK;
err_t replace_profile(struct call *call, const Provision__ProfileRequest *request,
	Provision__Profile *reply) MUST_CHECK;
err_t delete_profile(
	struct call *call, const Provision__Ref *request, Provision__Empty *reply) MUST_CHECK;
err_t get_profile_server(struct call *call, const Provision__Ref *request,
	Provision__ProfileServer *reply) MUST_CHECK;
err_t get_app_settings(struct call *call, const Provision__Empty *request,
	Provision__AppSettings *reply) MUST_CHECK;
err_t update_app_settings(struct call *call, const Provision__UpdateAppSettingsRequest *request,
	Provision__AppSettings *reply) MUST_CHECK;

/* ---- notice.c ---- */

err_t create_notice(struct call *call, const Provision__CreateNoticeRequest *request,
	Provision__Notice *reply) MUST_CHECK;
err_t get_notice(
	struct call *call, const Provision__Ref *request, Provision__Notice *reply) MUST_CHECK;
err_t list_notices(struct call *call, const Provision__ListNoticesRequest *request,
	Provision__NoticeList *reply) MUST_CHECK;
err_t delete_notice(
	struct call *call, const Provision__Ref *request, Provision__Empty *reply) MUST_CHECK;
err_t list_user_notices(
	struct call *call, const Provision__App *request, Provision__NoticeList *reply) MUST_CHECK;
err_t list_system_notices(
	struct call *call, const Provision__App *request, Provision__NoticeList *reply) MUST_CHECK;

/* ---- app.c ---- */

err_t list_app_profiles(
	struct call *call, const Provision__App *request, Provision__ProfileList *reply) MUST_CHECK;
err_t get_app_config(struct call *call, const Provision__AppConfigRequest *request,
	Provision__AppConfig *reply) MUST_CHECK;
err_t create_keypair(struct call *call, const Provision__KeypairRequest *request,
	Provision__Keypair *reply) MUST_CHECK;
err_t check_keypair(struct call *call, const Provision__CheckKeypairRequest *request,
	Provision__KeypairCheck *reply) MUST_CHECK;

/* ---- connect.c ---- */

err_t connect_app(struct call *call, const Provision__ConnectRequest *request,
	Provision__AppConfig *reply) MUST_CHECK;
err_t get_app_peer(struct call *call, const Provision__AppPeerRequest *request,
	Provision__AppPeer *reply) MUST_CHECK;
err_t disconnect_app(
	struct call *call, const Provision__App *request, Provision__Empty *reply) MUST_CHECK;
