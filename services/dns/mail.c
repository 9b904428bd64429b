/* mail: see mail.h. Texts are made of names, secrets and URLs of ours only. */
#include "services/dns/mail.h"

#include "lib/clock.h"
#include "lib/db.h"
#include "lib/keyring.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/uuid.h"
#include "services/dns/smtp.h"

#include <string.h>
#include <time.h>

#define BATCH	 "10"
#define HOUR_MAX 5 /* that an hour brings to one address, whoever asks for them */

static const char *server_url = "", *sender_address;

static struct metric sent = { .name = "lanyard_dns_mails_total",
	.help = "Mails by what became of them.",
	.labels = "result=\"sent\"" };
static struct metric failed = { .name = "lanyard_dns_mails_total", .labels = "result=\"failed\"" };

void mail_init(const char *url, const char *sender)
{
	server_url = url;
	sender_address = sender;
	metric_register(&sent);
	metric_register(&failed);
}

/* ---- queueing ---- */

static err_t queue(struct call *call, const struct store_holder *holder, const char *recipient,
	const char *subject, const char *text)
{
	static const struct db_statement insert = {
		"INSERT INTO dns.mail (tenant_id, recipient, subject, sealed)"
		" VALUES ($1, $2, $3, $4)"
	};

	if (*server_url == '\0' || *recipient == '\0') {
		log_info("mail_not_sent", "name=%s reason=\"%s\"", holder->name,
			*recipient == '\0' ? "no address" : "LANYARD_DNS_MAIL_URL is not set");
		return OK;
	}
	return DB_QUERY(call, &insert, NULL, holder->tenant, recipient, subject,
		keyring_seal(call->arena, KEYRING_MAIL, text));
}

/* The mails that anybody can ask for are few, so that nobody floods another with them. */
static err_t check_room(struct call *call, const char *recipient)
{
	static const struct db_statement count = {
		"SELECT count(*) AS n FROM dns.mail WHERE lower(recipient) = lower($1)"
		" AND made_at > now() - interval '1 hour'"
	};
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &count, &rows, recipient);

	if (err != OK || db_int(rows, 0, "n") < HOUR_MAX)
		return err;
	return call_refuse(call, ERR_RESOURCE_EXHAUSTED, "email",
		"at most %d mails an hour go to one address", HOUR_MAX);
}

err_t mail_reclamation(struct call *call, const struct store_holder *holder, const char *secret)
{
	err_t err = check_room(call, holder->email);

	if (err != OK)
		return err;
	return queue(call, holder, holder->email,
		arena_printf(call->arena, "Taking back %s", holder->name),
		arena_printf(call->arena,
			"Somebody, hopefully you, wants to take back the name\r\n\r\n\t%s\r\n\r\n"
			"on another device. The reclamation token is\r\n\r\n\t%s\r\n\r\n"
			"It is good for one day and one use. If it wasn't you, do nothing.\r\n",
			holder->name, secret));
}

err_t mail_verification(struct call *call, const struct store_holder *holder, const char *email,
	const char *base, const char *secret)
{
	err_t err = check_room(call, email);

	if (err != OK)
		return err;
	return queue(call, holder, email,
		arena_printf(call->arena, "Your address for %s", holder->name),
		arena_printf(call->arena,
			"Please follow this link within a day, so that we know that you can be\r\n"
			"reached about the name %s:\r\n\r\n\t%s/verifyemail?s=%s\r\n\r\n"
			"If you have no device of that name, do nothing.\r\n",
			holder->name, base, secret));
}

err_t mail_warning(struct call *call, const struct store_holder *holder)
{
	return queue(call, holder, holder->email,
		arena_printf(call->arena, "%s will be forgotten", holder->name),
		arena_printf(call->arena,
			"Nothing was heard for a long time from the device with the name\r\n\r\n"
			"\t%s\r\n\r\n"
			"In seven days the name will be free for others. To keep it, connect "
			"the\r\n"
			"device.\r\n",
			holder->name));
}

/* ---- sending ---- */

static const struct db_statement due = {
	"SELECT tenant_id, id, recipient, subject, sealed FROM dns.mail WHERE due_at <= now()"
	" ORDER BY due_at LIMIT " BATCH " FOR UPDATE SKIP LOCKED"
};
/* It counts for an hour. */
static const struct db_statement done = {
	"UPDATE dns.mail SET due_at = 'infinity', sealed = '' WHERE tenant_id = $1 AND id = $2"
};
static const struct db_statement forget = {
	"DELETE FROM dns.mail WHERE due_at = 'infinity' AND made_at < now() - interval '1 hour'"
};
/* Minutes between tries: 1, 2, 4, ... up to 64; after twenty, about a day, it is given up. */
static const struct db_statement again = {
	"WITH over AS (DELETE FROM dns.mail WHERE tenant_id = $1 AND id = $2 AND tries >= 20)"
	" UPDATE dns.mail SET tries = tries + 1,"
	" due_at = now() + make_interval(mins => (2 ^ least(tries, 6))::int)"
	" WHERE tenant_id = $1 AND id = $2 AND tries < 20"
};

static const char *date_text(struct call *call)
{
	time_t now = (time_t)(clock_unix_ms() / 1000);
	char text[64];
	struct tm tm;

	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &tm));
	return arena_strdup(call->arena, text);
}

static const char *message_of(
	struct call *call, const char *recipient, const char *subject, const char *text)
{
	const char *domain = strrchr(sender_address, '@');
	char id[UUID_SIZE];

	uuid_new(id);
	return arena_printf(call->arena,
		"Date: %s\r\nFrom: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s%s>\r\n"
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Auto-Submitted: auto-generated\r\n\r\n%s",
		date_text(call), sender_address, recipient, subject, id, domain, text);
}

static err_t send_row(struct call *call, const struct db_rows *rows, size_t i)
{
	const char *recipient = db_text(rows, i, "recipient"), *text;
	err_t err = keyring_unseal(call->arena, KEYRING_MAIL, db_text(rows, i, "sealed"), &text);
	struct smtp_message message = { server_url, sender_address, recipient, NULL };
	char reason[256] = "it was sealed under another key";

	if (err == OK) {
		message.text = message_of(call, recipient, db_text(rows, i, "subject"), text);
		err = smtp_send(&message, reason, sizeof(reason));
	}
	metric_add(err == OK ? &sent : &failed, 1);
	if (err != OK)
		log_warn("mail_failed", "mail=%s reason=%s action=\"trying again later\"",
			db_text(rows, i, "id"), log_value(reason));
	return DB_QUERY(call, err == OK ? &done : &again, NULL, db_text(rows, i, "tenant_id"),
		db_text(rows, i, "id"));
}

err_t mail_send_due(struct call *call)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if (*server_url == '\0')
		return OK;
	err = db_query(call, &due, &rows, 0, NULL);
	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = send_row(call, rows, i);
	return err != OK ? err : db_query(call, &forget, NULL, 0, NULL);
}
