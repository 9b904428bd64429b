/*
 * provision for real: a tenant's authorities from their making to the end of a rotation, the
 * certificates of devices, people and servers, and the revocation lists. What was signed is judged
 * by openssl(1), as any VPN server would.
 */
#include "tests/component/provision_fixture.h"

#include "proto/certificates.pb-c.h"

TestSuite(provision_certificates, .init = setup, .fini = teardown, .timeout = 120);

#define ASK_PKI(step, method, request, reply)                                                      \
	ask(step, &provision__certificates__descriptor, method, &(request)->base,                  \
		(const void **)(reply))
#define USER "018f0000-0000-7000-8000-000000000abc"

/* ---- openssl(1) ---- */

static void write_file(const char *name, const char *text)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fixture.folder, name);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

/* Runs a shell command in the test's folder: what it printed, and its status. */
static int shell(const char *command, char *out, size_t size)
{
	char line[1024];
	FILE *pipe;
	size_t len;

	snprintf(line, sizeof(line), "cd %s && { %s; } 2>&1", fixture.folder, command);
	pipe = popen(line, "r");
	cr_assert_not_null(pipe);
	len = fread(out, 1, size - 1, pipe);
	out[len] = '\0';
	return pclose(pipe);
}

static void forget_files(void)
{
	char out[256];

	cr_assert_eq(shell("rm -f *.pem", out, sizeof(out)), 0, "%s", out);
}

/* Is the certificate in leaf.pem good, with the authorities and lists of now? */
static bool verifies(
	const Provision__Authorities *authorities, const char *certificate, char *out, size_t size)
{
	write_file("trust.pem", authorities->trust);
	write_file("issuers.pem", authorities->issuers);
	write_file("crls.pem", authorities->crls);
	write_file("leaf.pem", certificate);
	return shell("openssl verify -x509_strict -crl_check_all -CAfile trust.pem"
		     " -untrusted issuers.pem -CRLfile crls.pem leaf.pem",
		       out, size) == 0;
}

/* ---- calls ---- */

static const Provision__Authorities *authorities_of(struct step *step)
{
	Provision__Empty request = PROVISION__EMPTY__INIT;
	const Provision__Authorities *authorities;

	ASSERT_OK(step, ASK_PKI(step, "GetAuthorities", &request, &authorities));
	return authorities;
}

static err_t issue(struct step *step, const char *kind, const char *subject, const char *csr,
	const Provision__Certificate **certificate)
{
	Provision__IssueCertificateRequest request = PROVISION__ISSUE_CERTIFICATE_REQUEST__INIT;

	request.kind = (char *)(uintptr_t)kind;
	request.subject = (char *)(uintptr_t)subject;
	request.csr = (char *)(uintptr_t)csr;
	return ASK_PKI(step, "IssueCertificate", &request, certificate);
}

static const Provision__CertificateStatus *status_of(struct step *step, const char *serial)
{
	Provision__GetCertificateStatusRequest request =
		PROVISION__GET_CERTIFICATE_STATUS_REQUEST__INIT;
	const Provision__CertificateStatus *status;

	request.serial = (char *)(uintptr_t)serial;
	ASSERT_OK(step, ASK_PKI(step, "GetCertificateStatus", &request, &status));
	return status;
}

static const Provision__Authority *rotate(struct step *step, const char *kind)
{
	Provision__RotateAuthorityRequest request = PROVISION__ROTATE_AUTHORITY_REQUEST__INIT;
	const Provision__Authority *authority;

	request.kind = (char *)(uintptr_t)kind;
	ASSERT_OK(step, ASK_PKI(step, "RotateAuthority", &request, &authority));
	return authority;
}

static const Provision__Authority *advance(struct step *step, const char *id)
{
	Provision__Ref request = PROVISION__REF__INIT;
	const Provision__Authority *authority;

	request.id = (char *)(uintptr_t)id;
	ASSERT_OK(step, ASK_PKI(step, "AdvanceAuthority", &request, &authority));
	return authority;
}

SQL(add_device, "INSERT INTO provision.device (tenant_id, name, state, tags, enrolment_key_id)"
		" VALUES ($1, $2, 'approved', '{}', fabric.uuid7()) RETURNING id");

static const char *make_device(struct step *step, const char *name)
{
	AUTO_ROWS rows = sql(step, &add_device, PARAMS(step->call.tenant, name));

	return arena_strdup(step->call.arena, db_text(rows, 0, "id"));
}

static void set_device_state(struct step *step, const char *id, const char *state)
{
	Provision__UpdateDeviceRequest request = PROVISION__UPDATE_DEVICE_REQUEST__INIT;
	const Provision__Device *device;

	request.id = (char *)(uintptr_t)id;
	request.set_state_case = PROVISION__UPDATE_DEVICE_REQUEST__SET_STATE_STATE;
	request.state = (char *)(uintptr_t)state;
	ASSERT_OK(step, ASK_PROVISION(step, "UpdateDevice", &request, &device));
}

/* ---- certificates ---- */

Test(provision_certificates, a_certificate_says_what_we_say_and_openssl_believes_it)
{
	const Provision__Certificate *certificate;
	const char *tenant = new_tenant();
	char out[4096], name[64];
	AUTO_STEP step;

	step_open(&step, tenant);
	ASSERT_OK(&step, issue(&step, "user", USER, "", &certificate));
	snprintf(name, sizeof(name), "CN=%s,OU=user,O=", certificate->serial);
	cr_assert(verifies(authorities_of(&step), certificate->certificate, out, sizeof(out)), "%s",
		out);
	write_file("key.pem", certificate->private_key);
	cr_assert_eq(shell("openssl x509 -in leaf.pem -noout -subject -ext "
			   "extendedKeyUsage,keyUsage,basicConstraints -nameopt RFC2253 &&"
			   " openssl pkey -in key.pem -pubout -out public.pem &&"
			   " openssl x509 -in leaf.pem -pubkey -noout | cmp - public.pem",
			     out, sizeof(out)),
		0, "%s", out);
	cr_assert_not_null(strstr(out, name), "%s", out);
	cr_assert_not_null(strstr(out, tenant), "%s", out);
	cr_assert_not_null(strstr(out, "TLS Web Client Authentication"), "%s", out);
	cr_assert_not_null(strstr(out, "CA:FALSE"), "%s", out);
	cr_assert_null(strstr(out, "Certificate Sign"), "%s", out);
	cr_assert_str_eq(status_of(&step, certificate->serial)->state, "valid");
	forget_files();
}

/* CVE-2024-33897: a device asked for the name of another, and got it. */
Test(provision_certificates, a_signing_request_chooses_no_name)
{
	const Provision__Certificate *certificate;
	char csr[4096], out[4096];
	AUTO_STEP step;
	const char *device;

	step_open(&step, new_tenant());
	device = make_device(&step, "honest");
	cr_assert_eq(shell("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
			   " -keyout key.pem -subj /CN=somebody-else -addext "
			   "basicConstraints=CA:TRUE -addext subjectAltName=DNS:bank.example",
			     csr, sizeof(csr)),
		0, "%s", csr);
	ASSERT_OK(&step, issue(&step, "device", device, strstr(csr, "-----BEGIN"), &certificate));
	cr_assert_str_empty(certificate->private_key);
	write_file("leaf.pem", certificate->certificate);
	cr_assert_eq(shell("openssl x509 -in leaf.pem -noout -text", out, sizeof(out)), 0);
	cr_assert_null(strstr(out, "somebody-else"), "%s", out);
	cr_assert_null(strstr(out, "bank.example"), "%s", out);
	cr_assert_null(strstr(out, "CA:TRUE"), "%s", out);
	cr_assert_not_null(strstr(out, device), "%s", out);
	forget_files();
}

Test(provision_certificates, bad_requests_are_refused_by_field)
{
	static const struct {
		const char *kind, *subject, *csr, *field;
	} bad[] = {
		{ "boss", USER, "", "kind" },
		{ "user", "alice", "", "subject" },
		{ "server", "vpn..example", "", "subject" },
		{ "server", "", "", "subject" },
		{ "server", "vpn.example\nDNS:evil", "", "subject" },
		{ "user", USER, "no request", "csr" },
		{ "user", USER,
			"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE "
			"REQUEST-----\n",
			"csr" },
		{ "device", NOBODY, "", "subject" },
	};
	const Provision__Certificate *certificate;
	char csr[8192];
	AUTO_STEP step;

	step_open(&step, new_tenant());
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_t err = issue(&step, bad[i].kind, bad[i].subject, bad[i].csr, &certificate);

		cr_assert_neq(err, OK, "row %zu", i);
		cr_assert_str_eq(step.call.fault.field, bad[i].field, "row %zu: %s", i,
			step.call.fault.detail);
	}
	cr_assert_eq(shell("openssl req -new -newkey rsa:1024 -nodes -keyout key.pem -subj /CN=a "
			   "2>/dev/null",
			     csr, sizeof(csr)),
		0, "%s", csr);
	ASSERT_REFUSED(
		&step, issue(&step, "user", USER, csr, &certificate), ERR_INVALID_ARGUMENT, "csr");
	forget_files();
}

Test(provision_certificates, tenants_do_not_believe_each_other)
{
	const Provision__Certificate *certificate;
	const char *serial;
	char out[4096];
	AUTO_STEP one;
	AUTO_STEP other;

	step_open(&one, new_tenant());
	step_open(&other, new_tenant());
	ASSERT_OK(&one, issue(&one, "user", USER, "", &certificate));
	serial = certificate->serial;
	cr_assert_not(verifies(authorities_of(&other), certificate->certificate, out, sizeof(out)));
	cr_assert_str_eq(status_of(&other, serial)->state, "unknown");
	other.call.tenant = CALL_FLEET;
	cr_assert_str_eq(status_of(&other, serial)->tenant, one.call.tenant);
	forget_files();
}

/* ---- revocation ---- */

Test(provision_certificates, a_revoked_certificate_is_on_the_list_at_once)
{
	const Provision__Certificate *revoked, *kept;
	const Provision__RevokedCertificates *count;
	Provision__RevokeCertificateRequest request = PROVISION__REVOKE_CERTIFICATE_REQUEST__INIT;
	char out[4096];
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, issue(&step, "user", USER, "", &revoked));
	ASSERT_OK(&step, issue(&step, "server", "vpn.example.org", "", &kept));
	request.serial = revoked->serial;
	request.reason = "lost";
	ASSERT_OK(&step, ASK_PKI(&step, "RevokeCertificate", &request, &count));
	cr_assert_eq(count->count, 1);
	ASSERT_OK(&step, ASK_PKI(&step, "RevokeCertificate", &request, &count));
	cr_assert_eq(count->count, 0);
	cr_assert_not(verifies(authorities_of(&step), revoked->certificate, out, sizeof(out)));
	cr_assert_not_null(strstr(out, "revoked"), "%s", out);
	cr_assert(verifies(authorities_of(&step), kept->certificate, out, sizeof(out)), "%s", out);
	cr_assert_str_eq(status_of(&step, revoked->serial)->state, "revoked");
	forget_files();
}

Test(provision_certificates, a_blocked_device_is_on_hold_and_a_retired_one_is_revoked)
{
	const Provision__Certificate *certificate;
	const void *reply;
	char out[4096];
	AUTO_STEP step;
	const char *device;

	step_open(&step, new_tenant());
	device = make_device(&step, "moody");
	ASSERT_OK(&step, issue(&step, "device", device, "", &certificate));
	set_device_state(&step, device, "blocked");
	cr_assert_not(verifies(authorities_of(&step), certificate->certificate, out, sizeof(out)));
	cr_assert_str_eq(status_of(&step, certificate->serial)->state, "suspended");
	ASSERT_REFUSED(&step, issue(&step, "device", device, "", (void *)&reply),
		ERR_FAILED_PRECONDITION, "device");
	set_device_state(&step, device, "approved");
	cr_assert(verifies(authorities_of(&step), certificate->certificate, out, sizeof(out)), "%s",
		out);
	cr_assert_str_eq(status_of(&step, certificate->serial)->state, "valid");
	ASSERT_OK(&step, ask_ref(&step, "RetireDevice", device, 0, &reply));
	cr_assert_str_eq(status_of(&step, certificate->serial)->state, "revoked");
	cr_assert_not(verifies(authorities_of(&step), certificate->certificate, out, sizeof(out)));
	forget_files();
}

SQL(list_of, "SELECT crl_number AS n FROM provision.authority"
	     " WHERE tenant_id = $1 AND kind = 'issuing'");
SQL(age_lists, "UPDATE provision.authority SET crl_this_update = crl_this_update - $2::interval,"
	       " crl_next_update = crl_next_update - $2::interval"
	       " WHERE tenant_id = $1 AND kind = 'issuing'");

static long long list_number(struct step *step)
{
	AUTO_ROWS rows = sql(step, &list_of, PARAMS(step->call.tenant));

	return db_int(rows, 0, "n");
}

/* Contract statement 29: the task runs when a service starts, and then each minute. */
Test(provision_certificates, a_list_is_made_anew_before_half_of_its_time)
{
	AUTO_STEP step;
	long long before;

	step_open(&step, new_tenant());
	authorities_of(&step);
	before = list_number(&step);
	db_rows_destroy_at(&(struct db_rows *){
		sql(&step, &age_lists, PARAMS(step.call.tenant, "70 hours")) });
	restart_provision();
	AWAIT(list_number(&step) > before);
}

/* ---- rotation ---- */

Test(provision_certificates, a_root_is_changed_by_overlap)
{
	const Provision__Certificate *old, *new;
	const Provision__Authorities *authorities;
	const char *old_root, *next;
	char out[4096];
	AUTO_STEP step;

	step_open(&step, new_tenant());
	ASSERT_OK(&step, issue(&step, "user", USER, "", &old));
	old_root = authorities_of(&step)->items[0]->id;

	/* First both are trusted, and the old one signs. */
	next = rotate(&step, "root")->id;
	authorities = authorities_of(&step);
	cr_assert_eq(authorities->n_items, 4);
	cr_assert_not_null(strstr(strstr(authorities->trust, "BEGIN") + 5, "BEGIN"));
	cr_assert(verifies(authorities, old->certificate, out, sizeof(out)), "%s", out);

	/* Then the new one signs, and what the old one signed is still good. */
	cr_assert_str_eq(advance(&step, next)->state, "active");
	ASSERT_OK(&step, issue(&step, "user", USER, "", &new));
	cr_assert_str_neq(new->authority, old->authority);
	authorities = authorities_of(&step);
	cr_assert(verifies(authorities, old->certificate, out, sizeof(out)), "%s", out);
	cr_assert(verifies(authorities, new->certificate, out, sizeof(out)), "%s", out);

	/* In the end the old one is nobody. */
	cr_assert_str_eq(advance(&step, old_root)->state, "retired");
	authorities = authorities_of(&step);
	cr_assert_not(verifies(authorities, old->certificate, out, sizeof(out)));
	cr_assert(verifies(authorities, new->certificate, out, sizeof(out)), "%s", out);
	forget_files();
}

Test(provision_certificates, a_root_offline_signs_when_it_is_brought)
{
	Provision__TakeRootOfflineRequest take = PROVISION__TAKE_ROOT_OFFLINE_REQUEST__INIT;
	Provision__RotateAuthorityRequest bring = PROVISION__ROTATE_AUTHORITY_REQUEST__INIT;
	const Provision__RootKey *key;
	const Provision__Authority *issuing;
	const Provision__Certificate *certificate;
	char out[4096];
	AUTO_STEP step;

	step_open(&step, new_tenant());
	take.id = authorities_of(&step)->items[0]->id;
	take.passphrase = "short";
	ASSERT_REFUSED(&step, ASK_PKI(&step, "TakeRootOffline", &take, &key), ERR_INVALID_ARGUMENT,
		"passphrase");
	take.passphrase = "correct horse battery";
	ASSERT_OK(&step, ASK_PKI(&step, "TakeRootOffline", &take, &key));
	cr_assert_not_null(strstr(key->key, "BEGIN ENCRYPTED PRIVATE KEY"));
	cr_assert_not(authorities_of(&step)->items[0]->key_here);
	bring.kind = "issuing";
	ASSERT_REFUSED(&step, ASK_PKI(&step, "RotateAuthority", &bring, &issuing),
		ERR_FAILED_PRECONDITION, "root_key");
	bring.root_key = key->key;
	bring.passphrase = "not the passphrase";
	ASSERT_REFUSED(&step, ASK_PKI(&step, "RotateAuthority", &bring, &issuing),
		ERR_INVALID_ARGUMENT, "root_key");
	bring.passphrase = take.passphrase;
	ASSERT_OK(&step, ASK_PKI(&step, "RotateAuthority", &bring, &issuing));
	ASSERT_OK(&step, issue(&step, "user", USER, "", &certificate));
	cr_assert_str_eq(certificate->authority, issuing->id);
	cr_assert(verifies(authorities_of(&step), certificate->certificate, out, sizeof(out)), "%s",
		out);
	forget_files();
}

SQL(sealed_under, "SELECT string_agg(DISTINCT split_part(sealed_key, ':', 1), ' ') AS ids"
		  " FROM provision.authority WHERE tenant_id = $1");

static bool all_sealed_under(struct step *step, const char *id)
{
	AUTO_ROWS rows = sql(step, &sealed_under, PARAMS(step->call.tenant));

	return strcmp(db_text(rows, 0, "ids"), id) == 0;
}

Test(provision_certificates, keys_are_sealed_anew_when_the_key_file_has_a_new_first_one)
{
	const Provision__Certificate *certificate;
	char lines[256];
	AUTO_STEP step;

	step_open(&step, new_tenant());
	authorities_of(&step);
	cr_assert(all_sealed_under(&step, "1"));
	snprintf(lines, sizeof(lines), "new:%064d\n1:%064d\n", 8, 7);
	write_file("provision-key", lines);
	restart_provision();
	AWAIT(all_sealed_under(&step, "new"));
	ASSERT_OK(&step, issue(&step, "user", USER, "", &certificate));
}
