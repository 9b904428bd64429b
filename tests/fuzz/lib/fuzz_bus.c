/*
 * What comes over the bus. The first byte says what the rest is: a key file, a sealed message, or
 * what a member of the fleet (of another version, perhaps) may have sealed: a request or a
 * doorbell.
 */
#include "lib/bus_internal.h"
#include "lib/clock.h"
#include "proto/dns.pb-c.h"

#include <string.h>

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static err_t get_name(struct call *call, const Dns__Ref *request, Dns__Name *reply)
{
	if (*request->id == '\0')
		return call_refuse(call, ERR_INVALID_ARGUMENT, "id", "expected an id");
	reply->id = request->id;
	return OK;
}

static err_t list_names(struct call *call, const Dns__ListRequest *request, Dns__NameList *reply)
{
	(void)call;
	reply->next_cursor = request->cursor;
	return OK;
}

BUS_HANDLER(Dns__Dns_Service, get_name, Dns__Ref, Dns__Name, DNS__NAME__INIT)
BUS_HANDLER(Dns__Dns_Service, list_names, Dns__ListRequest, Dns__NameList, DNS__NAME_LIST__INIT)

static Dns__Dns_Service dns = {
	.base = DNS__DNS__BASE_INIT, .get_name = on_get_name, .list_names = on_list_names
};

/* Every other method of the service. */
static void on_other(ProtobufCService *service, const ProtobufCMessage *request,
	ProtobufCClosure closure, void *closure_data)
{
	(void)service, (void)request, (void)closure;
	bus_result(closure_data, ERR_UNIMPLEMENTED);
}

/* protobuf-c keeps the methods of a service behind its base, in their order. */
static void complete_service(void)
{
	void (**methods)(void) = (void (**)(void))(&dns.base + 1);

	for (unsigned i = 0; i < dns.base.descriptor->n_methods; i++)
		if (methods[i] == NULL)
			methods[i] = (void (*)(void))on_other;
}

static void try_keys(struct arena *arena, struct span text)
{
	struct key_list list = { .n = 0 };
	struct fault fault;

	if (key_list_parse(&list, arena_strndup(arena, (const char *)text.bytes, text.len),
		    &fault) == OK &&
		(list.n < 1 || list.n > KEYS_MAX))
		BUG("%zu keys", list.n);
}

/* No key in use opens it, so whatever it is, it is refused. */
static void try_message(struct arena *arena, struct span message)
{
	static struct seal seal;
	struct seal_header header = { .answers = NULL };

	if (seal.unix_ms == NULL) {
		struct fault fault;

		replay_init(&seal.replay);
		pthread_rwlock_init(&seal.keyring.lock, NULL);
		seal.keyring.path = "";
		seal.keyring.checked_ms = INT64_MAX; /* there is no file */
		seal.unix_ms = clock_unix_ms;
		if (key_list_parse(&seal.keyring.list, "k1:" HEX, &fault) != OK)
			BUG("the test's own key");
	}
	if (seal_open(&seal, &header, message, arena_alloc(arena, message.len)) == SEAL_FINE)
		BUG("a forgery was opened");
}

static void try_request(struct arena *arena, struct span envelope)
{
	ProtobufCService *services[] = { &dns.base, NULL };
	struct bus_server server = { .services = services };
	struct call call = { .arena = arena };
	struct span packed = server_answer(&server, NULL, &call, envelope);
	Bus__Reply *reply = (Bus__Reply *)envelope_unpack(arena, &bus__reply__descriptor, packed);

	if (reply == NULL || reply->status > ERR_LAST)
		BUG("a reply that no caller understands");
	if (reply->status == OK && strlen(call.trace) != BUS_TRACE_LEN)
		BUG("an envelope was taken unchecked");
}

static void try_doorbell(struct arena *arena, struct span packed)
{
	Bus__Doorbell *doorbell =
		(Bus__Doorbell *)envelope_unpack(arena, &bus__doorbell__descriptor, packed);

	if (doorbell != NULL && envelope_topic_fine(doorbell->topic) &&
		strlen(doorbell->topic) > BUS_TOPIC_MAX)
		BUG("a topic was taken unchecked");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA arena = arena_create();
	struct span rest = { data + 1, size - 1 };

	if (size == 0)
		return 0;
	complete_service();
	switch (data[0]) {
	case 'k':
		try_keys(arena, rest);
		break;
	case 'm':
		try_message(arena, rest);
		break;
	case 'd':
		try_doorbell(arena, rest);
		break;
	default:
		try_request(arena, rest);
		break;
	}
	return 0;
}
