/*
 * bench_names: questions through PowerDNS with lanyard-dns' side of the remote backend behind it,
 * and through the same PowerDNS with its own SQLite backend and the same names; all its caches off.
 * Also what 10,000 names cost in memory, and how fast they are taken over.
 */
#include "services/dns/server.h"
#include "tests/bench/report.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_NAMES	    10000
#define OUTSTANDING 64
#define RUN_MS	    6000
#define SAMPLES_MAX 1000000
#define SCHEMA	    "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

static const struct records_settings settings = {
	.server = "ns1.box.test",
	.address = "127.0.0.1",
	.members_zone = "lanyard.test",
	.names_zone = "box.test",
	.tunnel = { "192.0.2.1" },
	.n_tunnel = 1,
	.caa = "",
};

static char folder[] = "/tmp/bench_names.XXXXXX";

/* ---- names ---- */

static struct holding *name_new(int n)
{
	char id[37], name[64];
	struct holding *holding;
	char *text;

	snprintf(id, sizeof(id), "018f0000-0000-7000-8000-%012d", n);
	snprintf(name, sizeof(name), "name%d.box.test", n);
	holding = xcalloc(1, sizeof(*holding) + strlen(id) + strlen(name) + 2);
	text = (char *)(holding + 1);
	holding->id = text;
	text = stpcpy(text, id) + 1;
	holding->name = text;
	strcpy(text, name);
	holding->zone = 1;
	holding->kind = HOLDING_TUNNEL;
	holding->live = true;
	holding->addresses[0] = holding->addresses[1] = holding->account = "";
	return holding;
}

static void put_all(struct directory *directory)
{
	for (int n = 0; n < N_NAMES; n++) {
		directory_begin(directory);
		directory_put(directory, name_new(n));
		directory_end(directory);
	}
}

static struct directory *fill(double *kib, double *changes_s)
{
	struct directory *directory = directory_create(&settings);
	struct arena *arena = arena_create();
	struct directory_zone *zone = arena_alloc(arena, sizeof(*zone));
	size_t before = mallinfo2().uordblks;
	int64_t start_ms;

	*zone = (struct directory_zone){ .arena = arena,
		.id = "zone",
		.tenant = "t",
		.name = "box.test",
		.number = 1,
		.serial = 1 };
	directory_begin(directory);
	directory_put_zone(directory, zone);
	directory_end(directory);
	put_all(directory);
	*kib = (double)(mallinfo2().uordblks - before) / 1024;
	start_ms = clock_ms();
	for (int round = 0; round < 10; round++)
		put_all(directory); /* each in the place of its predecessor */
	*changes_s = 10.0 * N_NAMES * 1000 / (double)(clock_ms() - start_ms + 1);
	return directory;
}

/* ---- PowerDNS ---- */

static int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (void *)&address, sizeof(address)) != 0 ||
		getsockname(fd, (void *)&address, &len) != 0)
		BUG("no free port");
	close(fd);
	return ntohs(address.sin_port);
}

static void make_sqlite(const char *path)
{
	AUTO_FREE char *command = xasprintf("sqlite3 %s", path);
	FILE *sql = popen(command, "we");

	if (sql == NULL)
		BUG("no sqlite3");
	fprintf(sql,
		".read %s\nBEGIN;\nINSERT INTO domains (id, name, type) VALUES"
		" (1, 'box.test', 'NATIVE');\n",
		SCHEMA);
	fprintf(sql,
		"INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES"
		" (1, 'box.test', 'SOA', 'ns1.box.test hostmaster.box.test 1 3600 600 86400 5',"
		" 60, 1), (1, 'box.test', 'NS', 'ns1.box.test', 60, 1);\n");
	for (int n = 0; n < N_NAMES; n++)
		fprintf(sql,
			"INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES"
			" (1, 'name%d.box.test', 'A', '192.0.2.1', 60, 1);\n",
			n);
	fprintf(sql, "COMMIT;\n");
	if (pclose(sql) != 0)
		BUG("sqlite3 did not take the names");
}

static pid_t start_powerdns(const char *name, const char *backend, int port)
{
	AUTO_FREE char *dir = xasprintf("%s/%s", folder, name);
	AUTO_FREE char *path = xasprintf("%s/pdns.conf", dir);
	AUTO_FREE char *option = xasprintf("--config-dir=%s", dir);
	FILE *file;
	pid_t pid;

	if (mkdir(dir, 0700) != 0 || (file = fopen(path, "we")) == NULL)
		BUG("no folder for PowerDNS");
	fprintf(file,
		"%s\nlocal-address=127.0.0.1\nlocal-port=%d\nsocket-dir=%s\ncache-ttl=0\n"
		"query-cache-ttl=0\nnegquery-cache-ttl=0\nzone-cache-refresh-interval=300\n"
		"security-poll-suffix=\nloglevel=0\ndisable-syslog=yes\n",
		backend, port, dir);
	fclose(file);
	if ((pid = fork()) > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execlp("pdns_server", "pdns_server", option, "--guardian=no", "--daemon=no", (char *)NULL);
	_exit(127);
}

/* ---- questions ---- */

struct figures {
	double per_s, p99_ms;
};

static size_t question(unsigned char packet[512], uint16_t id, unsigned n)
{
	static const unsigned char head[] = { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	static const unsigned char tail[] =
		"\3box\4test\0\0\1\0"; /* and the literal's NUL: class 1 */
	size_t len = sizeof(head);
	int label;

	memcpy(packet, head, sizeof(head));
	packet[0] = (unsigned char)(id >> 8);
	packet[1] = (unsigned char)id;
	label = sprintf((char *)packet + len + 1, "name%u", n % N_NAMES);
	packet[len] = (unsigned char)label;
	len += (size_t)label + 1;
	memcpy(packet + len, tail, sizeof(tail) - 1);
	len += sizeof(tail) - 1;
	packet[len++] = 1;
	return len;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000000 + now.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static int dial(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { 0, 200 * 1000 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (void *)&address, sizeof(address)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
		BUG("no socket for questions");
	return fd;
}

/* Did a good answer with one record come? */
static bool is_answer(const unsigned char *packet, ssize_t len)
{
	return len > 12 && (packet[3] & 15) == 0 && packet[7] == 1;
}

static void await(int port)
{
	unsigned char packet[512];
	int fd = dial(port);

	for (int tries = 0; tries < 100; tries++) {
		size_t len = question(packet, 1, 1);

		if (send(fd, packet, len, 0) > 0 &&
			is_answer(packet, recv(fd, packet, sizeof(packet), 0))) {
			close(fd);
			return;
		}
		usleep(100 * 1000);
	}
	BUG("PowerDNS does not answer on port %d", port);
}

/* Keeps OUTSTANDING questions on their way; one that is lost is given up when its place comes
 * round. */
static struct figures measure(int port)
{
	static float samples[SAMPLES_MAX];
	static int64_t sent_us[65536];
	unsigned char packet[512];
	int fd = dial(port);
	unsigned next = 0;
	size_t n = 0;
	int64_t start_us = now_us();

	for (; next < OUTSTANDING; next++) {
		sent_us[next & 0xffff] = now_us();
		(void)!send(fd, packet, question(packet, (uint16_t)next, next), 0);
	}
	while (now_us() - start_us < RUN_MS * 1000 && n < SAMPLES_MAX) {
		ssize_t len = recv(fd, packet, sizeof(packet), 0);

		if (len >= 2 && is_answer(packet, len))
			samples[n++] =
				(float)(now_us() - sent_us[packet[0] << 8 | packet[1]]) / 1000;
		sent_us[next & 0xffff] = now_us();
		(void)!send(fd, packet, question(packet, (uint16_t)next, next), 0);
		next++;
	}
	close(fd);
	qsort(samples, n, sizeof(*samples), compare);
	return (struct figures){ (double)n * 1000000 / (double)(now_us() - start_us),
		n > 0 ? samples[n * 99 / 100] : -1 };
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	FILE *file = report_open(argc, argv, "names");
	struct remote remote = { 0 };
	struct server *server;
	struct figures ours, theirs;
	double kib, changes_s;
	int our_port = free_port(), their_port = free_port();
	pid_t our_pdns, their_pdns;

	if (mkdtemp(folder) == NULL)
		BUG("no folder");
	remote.directory = fill(&kib, &changes_s);
	AUTO_FREE char *socket_path = xasprintf("%s/socket", folder);
	AUTO_FREE char *database = xasprintf("%s/names.sqlite", folder);
	AUTO_FREE char *our_backend =
		xasprintf("launch=remote\nremote-connection-string=unix:path=%s", socket_path);
	AUTO_FREE char *their_backend =
		xasprintf("launch=gsqlite3\ngsqlite3-database=%s", database);
	AUTO_FREE char *clean = xasprintf("rm -rf %s", folder);

	make_sqlite(database);
	if (server_start(&server, socket_path, &remote) != OK)
		return EXIT_FAILURE;
	our_pdns = start_powerdns("ours", our_backend, our_port);
	their_pdns = start_powerdns("theirs", their_backend, their_port);
	await(our_port);
	await(their_port);
	theirs = measure(their_port);
	ours = measure(our_port);
	stop(our_pdns);
	stop(their_pdns);
	server_stop(server);
	directory_destroy(remote.directory);

	const struct report_row rows[] = {
		{ "DNS uncached", "q/s", ours.per_s, "pdns with sqlite", theirs.per_s, theirs.per_s,
			true },
		{ "DNS uncached p99", "ms", ours.p99_ms, "pdns with sqlite", theirs.p99_ms,
			theirs.p99_ms, false },
		{ "memory 10000 names", "KiB", kib, "none", 0, 10240, false },
		{ "changes taken over", "1/s", changes_s, "none", 0, 10000, true },
	};
	report_table(rows, ARRAY_LEN(rows));
	report_json(rows, ARRAY_LEN(rows), file);
	return system(clean);
}
