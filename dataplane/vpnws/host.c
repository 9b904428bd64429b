/*
 * host: see host.h.
 */
#include "dataplane/vpnws/host.h"

#include "dataplane/counters.h"
#include "lib/frames/block.h"
#include "lib/frames/packet.h"
#include "lib/frames/flow.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/tap.h"
#include "lib/uuid.h"

#include <sodium.h>

#define TURN_FRAMES  64	  /* read before others get their turn */
#define STATIONS_MAX 4096 /* behind a bridge */

struct host {
	struct port port; /* first: what the switch gives back is the host */
	struct host_options options;
	struct tap tap;
	uv_poll_t poll;
	struct block *block; /* read into */
	uint64_t seed;	     /* of flow_hash */
};

/* ---- to the interface ---- */

static void deliver(struct port *port, struct packet *frame)
{
	struct host *host = (struct host *)port;
	uint8_t header[OFFLOAD_LEN];
	uint64_t dropped = host->tap.dropped;

	offload_write(&frame->offload, header);
	tap_write(&host->tap, header, frame->data, frame->len);
	counter_add(COUNTER_DROPPED + DROP_QUEUE, (int64_t)(host->tap.dropped - dropped));
}

/* ---- from it ---- */

/* Room for a frame and its header in the block; of one that is full others have the rest. */
static uint8_t *space(struct host *host)
{
	if (host->block && BLOCK_SIZE - host->block->used < L2_HEADER_LEN + L2_FRAME_MAX) {
		block_unref(host->block);
		host->block = NULL;
	}
	if (!host->block)
		host->block = block_new();
	return host->block->data + host->block->used;
}

static void forward(struct host *host, uint8_t *frame, size_t len, const struct offload *offload)
{
	struct packet *packet = packet_in(host->block, frame, len);
	enum drop why;

	packet->offload = *offload;
	packet->flow = flow_hash(host->seed, frame, len);
	counter_add(COUNTER_RX_FRAMES, 1);
	counter_add(COUNTER_RX_BYTES, (int64_t)len);
	why = sessions_forward(host->options.sessions, &host->port, packet);
	if (why != DROP_NONE)
		counter_add(COUNTER_DROPPED + why, 1);
	packet_unref(packet);
}

/* False: there is nothing more to read now. */
static bool read_frame(struct host *host)
{
	uint8_t *at = space(host), *frame = at + L2_HEADER_LEN;
	ssize_t n = tap_read(&host->tap, at + L2_LENGTH_LEN, frame, L2_FRAME_MAX);
	struct offload offload;

	if (n <= 0)
		return false;
	offload_read(&offload, at + L2_LENGTH_LEN);
	if ((size_t)n < L2_FRAME_MIN || !offload_fits(&offload, frame, (size_t)n))
		return true;
	l2_write_header(at, &offload, (size_t)n);
	host->block->used += (uint32_t)(L2_HEADER_LEN + (size_t)n + 15) & ~15U;
	forward(host, frame, (size_t)n, &offload);
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct host *host = poll->data;
	int n = 0;

	(void)status;
	(void)events;
	while (n < TURN_FRAMES && read_frame(host))
		n++;
	if (!host->tap.gone)
		return;
	log_error("interface_gone",
		"interface=%s cause=\"it was deleted\" action=\"restart the "
		"node to have it again\"",
		host->tap.name);
	uv_poll_stop(poll);
	switch_detach(sessions_switch(host->options.sessions), &host->port);
}

/* ---- its life ---- */

static uint64_t own_mac(const struct tap *tap)
{
	uint64_t mac = 0;

	for (size_t i = 0; i < sizeof(tap->mac); i++)
		mac = mac << 8 | tap->mac[i];
	return mac;
}

static void on_evicted(struct port *port, const char *why)
{
	(void)port;
	log_warn("interface_evicted", "reason=%s", log_value(why));
}

static void on_notice(struct port *port, const struct switch_notice *notice)
{
	(void)port;
	if (notice->event == SWITCH_LOOP)
		log_warn("loop", "port=interface detail=\"%s\"", notice->detail);
}

static const struct port_owner owner = { .evicted = on_evicted, .notice = on_notice };

static err_t attach(struct host *host)
{
	const struct host_options *options = &host->options;
	struct port *replaced;

	uuid_new(host->port.member);
	host->port.mac = own_mac(&host->tap);
	host->port.deliver = deliver;
	host->port.owner = &owner;
	host->port.policy = (struct port_policy){
		.mac_limit = options->bridge ? STATIONS_MAX : 1,
		.bridge = options->bridge,
		.dhcp_server = true, /* the operator's own host */
		.router = true,
	};
	return switch_attach(sessions_switch(options->sessions), options->tenant, options->network,
		&host->port, &replaced);
}

static void on_closed(uv_handle_t *handle)
{
	struct host *host = handle->data;

	tap_close(&host->tap);
	block_unref(host->block);
	free(host);
}

err_t host_open(struct host **out, const struct host_options *options)
{
	struct host *host = xcalloc(1, sizeof(*host));
	struct fault fault;
	err_t err;

	host->options = *options;
	randombytes_buf(&host->seed, sizeof(host->seed));
	if ((err = tap_open(&host->tap, options->interface, true, &fault)) != OK) {
		log_error("interface_failed", "interface=%s detail=%s",
			log_value(options->interface), log_value(fault.detail));
		free(host);
		return err;
	}
	tap_set_offload(&host->tap, true);
	if (uv_poll_init(options->loop, &host->poll, host->tap.fd) != 0)
		BUG("an interface can't be polled");
	host->poll.data = host;
	if ((err = attach(host)) != OK) {
		log_error("interface_failed",
			"interface=%s detail=\"a member of the network has "
			"its MAC address\"",
			host->tap.name);
		host_close(host);
		return err;
	}
	uv_poll_start(&host->poll, UV_READABLE, on_readable);
	*out = host;
	return OK;
}

void host_close(struct host *host)
{
	if (!host)
		return;
	switch_detach(sessions_switch(host->options.sessions), &host->port);
	uv_close((uv_handle_t *)&host->poll, on_closed);
}

const struct port *host_port(const struct host *host)
{
	return &host->port;
}

void host_bytes(const struct host *host, uint64_t *to, uint64_t *from)
{
	*to = host->tap.bytes_in;
	*from = host->tap.bytes_out;
}
