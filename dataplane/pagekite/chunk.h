/*
 * chunk: what goes through the connection of a kite after the handshake, both ways: a length in hex
 * digits, and a body of header lines and bytes. Over memory only.
 *
 *     HEX CRLF
 *     SID: 7 CRLF  ... CRLF CRLF BYTES
 *
 * Compressed ones are refused: we never offer that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_MAX      (96 * 1024) /* bytes of a body */
#define CHUNK_HEAD_MAX 512	   /* of what chunk_... write, without the bytes */

struct chunk {
	bool noop; /* about the connection, or a stream's progress */
	bool has_stream;
	uint32_t stream;
	bool eof;     /* of the stream: */
	bool no_more; /* the client's side sends nothing more */
	bool nobody;  /* and nobody reads there any more */
	bool has_progress;
	uint64_t progress_kib; /* of the stream, taken by its server */
	char ping[65];	       /* "": none; it is to be said back */
	const uint8_t *data;   /* in the bytes that were read */
	size_t len;
};

enum chunk_result {
	CHUNK_MORE,
	CHUNK_WHOLE,
	CHUNK_WRONG,
};

/* Reads one chunk of the `len` bytes that came; when it is whole, `*taken` of them are its. */
enum chunk_result chunk_read(struct chunk *chunk, const uint8_t *data, size_t len, size_t *taken);

struct chunk_visitor {
	const char *protocol, *name, *address;
	unsigned port, visitor_port;
};

/* Write what comes before `len` bytes of a stream, the first ones (`visitor`) or others (NULL), or
 * a whole chunk; they return its length. */
size_t chunk_data(
	char out[CHUNK_HEAD_MAX], uint32_t stream, const struct chunk_visitor *visitor, size_t len);
/* Nothing more comes for the stream; `nobody`: and nobody reads what comes of it. */
size_t chunk_end(char out[CHUNK_HEAD_MAX], uint32_t stream, bool nobody);
size_t chunk_progress(char out[CHUNK_HEAD_MAX], uint32_t stream, uint64_t kib);
size_t chunk_ping(char out[CHUNK_HEAD_MAX]);
size_t chunk_pong(char out[CHUNK_HEAD_MAX], const char *ping);
