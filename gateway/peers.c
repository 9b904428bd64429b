/* peers: a list under a mutex; the time of each is atomic, since every request sets it. */
#include "gateway/peers.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct peer {
	struct peer *next, **slot; /* peers.first */
	int fd;
	_Atomic int64_t until_ms;
	atomic_bool proven;
	char origin[PEERS_ORIGIN_LEN];
	char address[PEERS_ORIGIN_LEN];
};

struct peers {
	pthread_mutex_t mutex; /* guards what follows */
	struct peer *first;
	int n;
};

struct peers *peers_create(void)
{
	struct peers *peers = xcalloc(1, sizeof(*peers));

	pthread_mutex_init(&peers->mutex, NULL);
	return peers;
}

void peers_destroy(struct peers *peers)
{
	if (peers == NULL)
		return;
	if (peers->first != NULL)
		BUG("connections are left");
	pthread_mutex_destroy(&peers->mutex);
	free(peers);
}

/* `bytes` of an IPv6 address count, the others become 0. */
static void write_address(
	const struct sockaddr *address, size_t bytes, char origin[PEERS_ORIGIN_LEN])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	struct in6_addr v6;

	if (address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, origin, PEERS_ORIGIN_LEN);
		return;
	}
	v6 = ((const struct sockaddr_in6 *)address)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		inet_ntop(AF_INET, v6.s6_addr + 12, origin, PEERS_ORIGIN_LEN);
		return;
	}
	memset(v6.s6_addr + bytes, 0, sizeof(v6) - bytes);
	inet_ntop(AF_INET6, &v6, origin, PEERS_ORIGIN_LEN);
}

struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address)
{
	struct peer *peer = xcalloc(1, sizeof(*peer));

	peer->fd = fd;
	write_address(address, 8, peer->origin);
	write_address(address, sizeof(struct in6_addr), peer->address);
	peer_step(peer);
	pthread_mutex_lock(&peers->mutex);
	peer->next = peers->first;
	peer->slot = &peers->first;
	if (peer->next != NULL)
		peer->next->slot = &peer->next;
	peers->first = peer;
	peers->n++;
	pthread_mutex_unlock(&peers->mutex);
	return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
	pthread_mutex_lock(&peers->mutex);
	*peer->slot = peer->next;
	if (peer->next != NULL)
		peer->next->slot = peer->slot;
	peers->n--;
	pthread_mutex_unlock(&peers->mutex);
	free(peer);
}

void peer_step(struct peer *peer)
{
	atomic_store(&peer->until_ms, clock_ms() + PEERS_STEP_MS);
}

const char *peer_origin(const struct peer *peer)
{
	return peer->origin;
}

const char *peer_address(const struct peer *peer)
{
	return peer->address;
}

void peer_prove(struct peer *peer)
{
	atomic_store(&peer->proven, true);
}

static bool is_late(struct peer *peer, int64_t now_ms, bool crowded)
{
	int64_t until_ms = atomic_load(&peer->until_ms);

	if (crowded && !atomic_load(&peer->proven))
		until_ms -= PEERS_STEP_MS - PEERS_HURRY_MS;
	return now_ms > until_ms;
}

int peers_sweep(struct peers *peers, int64_t now_ms)
{
	int n = 0;

	pthread_mutex_lock(&peers->mutex);
	for (struct peer *peer = peers->first; peer != NULL; peer = peer->next)
		if (is_late(peer, now_ms, peers->n > PEERS_CROWD)) {
			shutdown(peer->fd, SHUT_RDWR);
			n++;
		}
	pthread_mutex_unlock(&peers->mutex);
	return n;
}
