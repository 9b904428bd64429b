/*
 * lanyard-provision: networks, members and their addresses, devices and their enrolment,
 * certificates.
 *
 * Bus:
 *   services Provision, Certificates, Portals, Manifests, Rollouts, Claims, Est, Vpn, Wireguard,
 *   Audit, Homes and Profiles (proto/provision.proto, certificates.proto, portal.proto,
 *   manifest.proto, rollout.proto, claim.proto, est.proto, vpn.proto, wireguard.proto, audit.proto,
 *   home.proto, profile.proto); asks auth
 * State:
 *   schema provision (db/migrations)
 * Events:
 *   publishes "member", "network" and "portal"; hears "revoked" and "groups"
 * Keys:
 *   what it keeps secret is sealed under those of LANYARD_PROVISION_KEY_FILE
 */
#include "lib/svc.h"
#include "services/provision/audit/audit.h"
#include "services/provision/authority.h"
#include "services/provision/certificates.h"
#include "services/provision/claim/claims.h"
#include "services/provision/est/est.h"
#include "services/provision/home/homes.h"
#include "services/provision/manifest/manifests.h"
#include "services/provision/pki.h"
#include "services/provision/portal_gauges.h"
#include "services/provision/portals.h"
#include "services/provision/profile/app_certificate.h"
#include "services/provision/profile/profiles.h"
#include "services/provision/provision.h"
#include "services/provision/rollout/rollouts.h"
#include "services/provision/vault.h"
#include "services/provision/watch/alarms.h"
#include "services/provision/watch/refusals.h"
#include "services/provision/vpn/vpn.h"
#include "services/provision/wireguard/peer.h"
#include "services/provision/wireguard/wireguard.h"

static struct {
	const char *dataplane_urls;
	const char *key_file;
	long crl_hours;
	struct urls urls; /* what dataplane_urls says */
} provision;

static const struct config_entry config[] = {
	{ "LANYARD_DATAPLANE_URLS", "wss://127.0.0.1:9443/l2", &provision.dataplane_urls,
		CONFIG_TEXT,
		"where devices reach the dataplane, in the order of preference, comma-separated", 0,
		0 },
	{ "LANYARD_PROVISION_KEY_FILE", NULL, &provision.key_file, CONFIG_TEXT,
		"file with the keys that seal its secrets, lines ID:64 hex digits, the first one "
		"seals",
		0, 0 },
	{ "LANYARD_CRL_HOURS", "168", &provision.crl_hours, CONFIG_INT,
		"hours that a revocation list is good; a new one is made before half of them", 1,
		8760 },
	{ 0 },
};

static err_t attach(
	struct call *call, const Provision__AttachRequest *request, Provision__Attachment *reply)
{
	return attach_device(call, &provision.urls, request, reply);
}

/* clang-format off */
#define HANDLER(method, Request, Reply, REPLY) \
	BUS_HANDLER(Provision__Provision_Service, method, Provision__##Request, \
		Provision__##Reply, PROVISION__##REPLY##__INIT)

HANDLER(create_network, CreateNetworkRequest, Network, NETWORK)
HANDLER(get_network, Ref, Network, NETWORK)
HANDLER(list_networks, ListRequest, NetworkList, NETWORK_LIST)
HANDLER(update_network, UpdateNetworkRequest, Network, NETWORK)
HANDLER(delete_network, Ref, Empty, EMPTY)
HANDLER(enrol, EnrolRequest, Enrolment, ENROLMENT)
HANDLER(get_device, Ref, Device, DEVICE)
HANDLER(list_devices, ListRequest, DeviceList, DEVICE_LIST)
HANDLER(update_device, UpdateDeviceRequest, Device, DEVICE)
HANDLER(retire_device, Ref, Device, DEVICE)
HANDLER(create_member, CreateMemberRequest, Member, MEMBER)
HANDLER(get_member, Ref, Member, MEMBER)
HANDLER(list_members, ListRequest, MemberList, MEMBER_LIST)
HANDLER(update_member, UpdateMemberRequest, Member, MEMBER)
HANDLER(delete_member, Ref, Empty, EMPTY)
HANDLER(attach, AttachRequest, Attachment, ATTACHMENT)

#undef HANDLER
#define HANDLER(method, Request, Reply, REPLY) \
	BUS_HANDLER(Provision__Certificates_Service, method, Provision__##Request, \
		Provision__##Reply, PROVISION__##REPLY##__INIT)

HANDLER(get_authorities, Empty, Authorities, AUTHORITIES)
HANDLER(take_root_offline, TakeRootOfflineRequest, RootKey, ROOT_KEY)
HANDLER(rotate_authority, RotateAuthorityRequest, Authority, AUTHORITY)
HANDLER(advance_authority, Ref, Authority, AUTHORITY)
HANDLER(issue_certificate, IssueCertificateRequest, Certificate, CERTIFICATE)
HANDLER(get_certificate, Ref, Certificate, CERTIFICATE)
HANDLER(list_certificates, ListCertificatesRequest, CertificateList, CERTIFICATE_LIST)
HANDLER(revoke_certificate, RevokeCertificateRequest, RevokedCertificates, REVOKED_CERTIFICATES)
HANDLER(get_certificate_status, GetCertificateStatusRequest, CertificateStatus, CERTIFICATE_STATUS)

#undef HANDLER
#define HANDLER(method, Request, Reply, REPLY) \
	BUS_HANDLER(Provision__Portals_Service, method, Provision__##Request, Provision__##Reply, \
		PROVISION__##REPLY##__INIT)

HANDLER(get_portal, Empty, Portal, PORTAL)
HANDLER(update_portal, UpdatePortalRequest, Portal, PORTAL)
HANDLER(create_portal_device, CreatePortalDeviceRequest, PortalDevice, PORTAL_DEVICE)
HANDLER(get_portal_device, Ref, PortalDevice, PORTAL_DEVICE)
HANDLER(list_portal_devices, ListRequest, PortalDeviceList, PORTAL_DEVICE_LIST)
HANDLER(publish_package, Ref, PortalDevice, PORTAL_DEVICE)
HANDLER(issue_portal_secret, Ref, PortalDevice, PORTAL_DEVICE)
HANDLER(release_portal_device, Ref, PortalDevice, PORTAL_DEVICE)
HANDLER(forget_portal_device, Ref, Empty, EMPTY)
HANDLER(poll_portal, PortalRequest, PortalStatus, PORTAL_STATUS)
HANDLER(note_polls, NotePollsRequest, Empty, EMPTY)
HANDLER(fetch_package, FetchPackageRequest, PackageArchive, PACKAGE_ARCHIVE)
HANDLER(acknowledge_package, PortalRequest, PortalStatus, PORTAL_STATUS)
HANDLER(note_delivery, NoteDeliveryRequest, Empty, EMPTY)
HANDLER(authorize_vpn, AuthorizeVpnRequest, Empty, EMPTY)

#undef HANDLER
#define HANDLER(method, Request, Reply, REPLY) \
	BUS_HANDLER(Provision__Rollouts_Service, method, Provision__##Request, Provision__##Reply, \
		PROVISION__##REPLY##__INIT)

HANDLER(create_rollout, CreateRolloutRequest, Rollout, ROLLOUT)
HANDLER(get_rollout, Ref, Rollout, ROLLOUT)
HANDLER(list_rollouts, ListRequest, RolloutList, ROLLOUT_LIST)
HANDLER(update_rollout, UpdateRolloutRequest, Rollout, ROLLOUT)
HANDLER(list_rollout_devices, ListRolloutDevicesRequest, RolloutDeviceList, ROLLOUT_DEVICE_LIST)

#undef HANDLER
#define HANDLER(method, Request, Reply, REPLY) \
	BUS_HANDLER(Provision__Claims_Service, method, Provision__##Request, Provision__##Reply, \
		PROVISION__##REPLY##__INIT)

HANDLER(import_devices, ImportDevicesRequest, ImportReport, IMPORT_REPORT)
HANDLER(get_expected_device, Ref, ExpectedDevice, EXPECTED_DEVICE)
HANDLER(list_expected_devices, ListExpectedDevicesRequest, ExpectedDeviceList, EXPECTED_DEVICE_LIST)
HANDLER(delete_expected_device, Ref, Empty, EMPTY)
HANDLER(create_claim_code, Ref, ClaimCode, CLAIM_CODE)
HANDLER(transfer_portal_device, Ref, ClaimCode, CLAIM_CODE)
HANDLER(claim_device, ClaimDeviceRequest, Claim, CLAIM)

#undef HANDLER
#define HANDLER(method, Request, Reply, REPLY) \
	BUS_HANDLER(Provision__Vpn_Service, method, Provision__##Request, Provision__##Reply, \
		PROVISION__##REPLY##__INIT)

HANDLER(create_vpn_server, CreateVpnServerRequest, VpnServer, VPN_SERVER)
HANDLER(get_vpn_server, Ref, VpnServer, VPN_SERVER)
HANDLER(list_vpn_servers, ListRequest, VpnServerList, VPN_SERVER_LIST)
HANDLER(delete_vpn_server, Ref, Empty, EMPTY)
HANDLER(list_vpn_connections, ListVpnConnectionsRequest, VpnConnectionList, VPN_CONNECTION_LIST)
HANDLER(get_vpn_statistics, Empty, VpnStatistics, VPN_STATISTICS)
HANDLER(start_vpn_server, StartVpnServerRequest, VpnServerStart, VPN_SERVER_START)
HANDLER(authorize_vpn_connection, AuthorizeVpnConnectionRequest, VpnDecision, VPN_DECISION)
HANDLER(report_vpn_connections, ReportVpnConnectionsRequest, VpnVerdict, VPN_VERDICT)

BUS_HANDLER(Provision__Wireguard_Service, start_wireguard_server,
	Provision__StartWireguardServerRequest, Provision__WireguardServerStart,
	PROVISION__WIREGUARD_SERVER_START__INIT)
BUS_HANDLER(Provision__Wireguard_Service, sync_wireguard, Provision__SyncWireguardRequest,
	Provision__WireguardPeers, PROVISION__WIREGUARD_PEERS__INIT)
BUS_HANDLER(Provision__Manifests_Service, get_manifest, Provision__ManifestRequest,
	Provision__SignedManifest, PROVISION__SIGNED_MANIFEST__INIT)
BUS_HANDLER(Provision__Manifests_Service, get_package_files, Provision__ManifestRequest,
	Provision__PackageFiles, PROVISION__PACKAGE_FILES__INIT)
BUS_HANDLER(Provision__Manifests_Service, report_package, Provision__PackageReport,
	Provision__Empty, PROVISION__EMPTY__INIT)

#undef HANDLER
#define HANDLER(method, Request, Reply, REPLY) \
	BUS_HANDLER(Provision__Profiles_Service, method, Provision__##Request, \
		Provision__##Reply, PROVISION__##REPLY##__INIT)

HANDLER(create_profile, ProfileRequest, Profile, PROFILE)
HANDLER(get_profile, Ref, Profile, PROFILE)
HANDLER(list_profiles, ListProfilesRequest, ProfileList, PROFILE_LIST)
HANDLER(replace_profile, ProfileRequest, Profile, PROFILE)
HANDLER(delete_profile, Ref, Empty, EMPTY)
HANDLER(get_profile_server, Ref, ProfileServer, PROFILE_SERVER)
HANDLER(get_app_settings, Empty, AppSettings, APP_SETTINGS)
HANDLER(update_app_settings, UpdateAppSettingsRequest, AppSettings, APP_SETTINGS)
HANDLER(create_notice, CreateNoticeRequest, Notice, NOTICE)
HANDLER(get_notice, Ref, Notice, NOTICE)
HANDLER(list_notices, ListNoticesRequest, NoticeList, NOTICE_LIST)
HANDLER(delete_notice, Ref, Empty, EMPTY)
HANDLER(list_app_profiles, App, ProfileList, PROFILE_LIST)
HANDLER(get_app_config, AppConfigRequest, AppConfig, APP_CONFIG)
HANDLER(connect_app, ConnectRequest, AppConfig, APP_CONFIG)
HANDLER(get_app_peer, AppPeerRequest, AppPeer, APP_PEER)
HANDLER(disconnect_app, App, Empty, EMPTY)
HANDLER(create_keypair, KeypairRequest, Keypair, KEYPAIR)
HANDLER(check_keypair, CheckKeypairRequest, KeypairCheck, KEYPAIR_CHECK)
HANDLER(list_user_notices, App, NoticeList, NOTICE_LIST)
HANDLER(list_system_notices, App, NoticeList, NOTICE_LIST)

BUS_HANDLER(Provision__Est_Service, get_est_authorities, Provision__Empty, Provision__EstReply,
	PROVISION__EST_REPLY__INIT)
BUS_HANDLER(Provision__Est_Service, est_enrol, Provision__EstEnrolRequest, Provision__EstReply,
	PROVISION__EST_REPLY__INIT)
BUS_HANDLER(Provision__Est_Service, identify_certificate, Provision__EstCertificate,
	Provision__EstIdentity, PROVISION__EST_IDENTITY__INIT)
BUS_HANDLER(Provision__Audit_Service, list_audit_records, Provision__ListAuditRecordsRequest,
	Provision__AuditRecordList, PROVISION__AUDIT_RECORD_LIST__INIT)
BUS_HANDLER(Provision__Homes_Service, hold_homes, Provision__HoldHomesRequest, Provision__HomeList,
	PROVISION__HOME_LIST__INIT)
BUS_HANDLER(Provision__Homes_Service, hand_over_homes, Provision__HandOverHomesRequest,
	Provision__HomeList, PROVISION__HOME_LIST__INIT)
/* clang-format on */

static Provision__Provision_Service service = PROVISION__PROVISION__INIT(on_);
static Provision__Certificates_Service certificates = PROVISION__CERTIFICATES__INIT(on_);
static Provision__Portals_Service portals = PROVISION__PORTALS__INIT(on_);
static Provision__Claims_Service claims = PROVISION__CLAIMS__INIT(on_);
static Provision__Manifests_Service manifests = PROVISION__MANIFESTS__INIT(on_);
static Provision__Est_Service est = PROVISION__EST__INIT(on_);
static Provision__Vpn_Service vpn = PROVISION__VPN__INIT(on_);
static Provision__Wireguard_Service wireguard = PROVISION__WIREGUARD__INIT(on_);
static Provision__Audit_Service audit = PROVISION__AUDIT__INIT(on_);
static Provision__Homes_Service homes = PROVISION__HOMES__INIT(on_);
static Provision__Profiles_Service profiles = PROVISION__PROFILES__INIT(on_);
static Provision__Rollouts_Service rollouts = PROVISION__ROLLOUTS__INIT(on_);
static ProtobufCService *const services[] = { &service.base, &certificates.base, &portals.base,
	&rollouts.base, &claims.base, &manifests.base, &est.base, &vpn.base, &wireguard.base,
	&audit.base, &homes.base, &profiles.base, NULL };

#define MINUTE_S  60
#define HOUR_S	  3600
#define ROLLOUT_S 5
#define ALARM_S	  5
#define LOST_S	  5
#define PEERS_S	  1

static const struct svc_task tasks[] = {
	{ "refresh_authorities", MINUTE_S, authority_refresh },
	{ "reseal", MINUTE_S, vault_reseal },
	{ "take_back_packages", MINUTE_S, take_back_packages },
	{ "move_rollouts", ROLLOUT_S, move_rollouts },
	{ "portal_gauges", MINUTE_S, portal_gauges_count },
	{ "alarms", ALARM_S, alarms_tell },
	{ "lost_connections", LOST_S, end_lost_connections },
	{ "old_connections", MINUTE_S, forget_connections },
	{ "forget_app_certificates", HOUR_S, app_certificate_forget },
	{ "end_peers", PEERS_S, peer_end_over },
	{ "judge_peers", PEERS_S, peer_judge },
	{ "forget_peers", HOUR_S, peer_forget },
	{ NULL, 0, NULL },
};

static err_t apply_revoked(struct call *call, const ProtobufCMessage *event)
{
	const Event__Revoked *revoked = (const Event__Revoked *)event;
	err_t err = app_certificate_revoked(call, revoked);

	if (err == OK)
		err = vpn_revoked(call, revoked);
	return err == OK ? peer_revoked(call, revoked) : err;
}

static err_t apply_groups(struct call *call, const ProtobufCMessage *event)
{
	const Event__GroupsChanged *changed = (const Event__GroupsChanged *)event;
	err_t err = vpn_groups_changed(call, changed);

	return err == OK ? peer_groups_changed(call, changed) : err;
}

static const struct event_route events[] = {
	{ "groups", &event__groups_changed__descriptor, apply_groups },
	{ "revoked", &event__revoked__descriptor, apply_revoked },
	{ NULL, NULL, NULL },
};

static err_t check(struct fault *fault)
{
	return urls_init(&provision.urls, provision.dataplane_urls, fault);
}

static err_t start(struct svc *svc)
{
	(void)svc;
	authority_open(provision.crl_hours);
	portal_gauges_open();
	refusals_open();
	alarms_open();
	vpn_open();
	peer_open();
	return vault_open(provision.key_file);
}

static const struct svc_definition definition = {
	.name = "provision",
	.summary =
		"networks, members and their addresses, devices and their enrolment, certificates",
	.config = config,
	.services = services,
	.schema = "provision",
	.events = events,
	.tasks = tasks,
	.check = check,
	.start = start,
};

int main(int argc, char **argv)
{
	int status = svc_main(&definition, argc, argv);

	urls_finish(&provision.urls);
	return status;
}
