/*
 * later_version: preloaded into a process of the fleet, makes it one of a later version for all
 * others: each message that it packs has fields that they do not know, one of each wire type.
 */
#include <protobuf-c/protobuf-c.h>

#include <dlfcn.h>
#include <string.h>

/* Fields 2000 to 2003. */
static const uint8_t later[] = {
	0x80, 0x7d, 0x96, 0x01,			/* varint */
	0x89, 0x7d, 1, 2, 3, 4, 5, 6, 7, 8,	/* 64 bits */
	0x92, 0x7d, 5, 'l', 'a', 't', 'e', 'r', /* a length and so many bytes */
	0x9d, 0x7d, 1, 2, 3, 4,			/* 32 bits */
};

size_t protobuf_c_message_get_packed_size(const ProtobufCMessage *message)
{
	size_t (*size)(const ProtobufCMessage *message);

	*(void **)&size = dlsym(RTLD_NEXT, "protobuf_c_message_get_packed_size");
	return size(message) + sizeof(later);
}

size_t protobuf_c_message_pack(const ProtobufCMessage *message, uint8_t *out)
{
	size_t (*pack)(const ProtobufCMessage *message, uint8_t *out);
	size_t len;

	*(void **)&pack = dlsym(RTLD_NEXT, "protobuf_c_message_pack");
	len = pack(message, out);
	memcpy(out + len, later, sizeof(later));
	return len + sizeof(later);
}
