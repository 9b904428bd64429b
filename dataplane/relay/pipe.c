/*
 * pipe: a list of chunks; in a chunk lie pieces, each behind its header.
 */
#include "dataplane/relay/pipe.h"

#include "lib/mem.h"

#include <string.h>

#define CHUNK_SIZE (32 * 1024)

struct header {
	uint32_t len;
	bool text, first, final;
};

struct pipe_chunk {
	struct pipe_chunk *next;
	size_t read, written, size;
	uint8_t data[];
};

static struct header header_at(const struct pipe_chunk *chunk)
{
	struct header header;

	memcpy(&header, chunk->data + chunk->read, sizeof(header));
	return header;
}

/* The last chunk, with room for a piece of that length. */
static struct pipe_chunk *chunk_with_room(struct pipe *pipe, size_t len)
{
	struct pipe_chunk *chunk = pipe->last;
	size_t size = len + sizeof(struct header);

	if (chunk && chunk->size - chunk->written >= size)
		return chunk;
	size = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	chunk = xmalloc(sizeof(*chunk) + size);
	*chunk = (struct pipe_chunk){ .size = size };
	if (pipe->last)
		pipe->last->next = chunk;
	else
		pipe->first = chunk;
	pipe->last = chunk;
	return chunk;
}

static void free_all(struct pipe_chunk *chunk)
{
	while (chunk) {
		struct pipe_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void pipe_finish(struct pipe *pipe)
{
	pipe_release(pipe);
	free_all(pipe->first);
	*pipe = (struct pipe){ 0 };
}

void pipe_release(struct pipe *pipe)
{
	free_all(pipe->spent);
	pipe->spent = NULL;
}

void pipe_push(struct pipe *pipe, const struct pipe_piece *piece)
{
	struct pipe_chunk *chunk = chunk_with_room(pipe, piece->len);
	struct header header = { (uint32_t)piece->len, piece->text, piece->first, piece->final };

	memcpy(chunk->data + chunk->written, &header, sizeof(header));
	chunk->written += sizeof(header);
	if (piece->len > 0)
		memcpy(chunk->data + chunk->written, piece->data, piece->len);
	chunk->written += piece->len;
	pipe->bytes += piece->len;
}

bool pipe_peek(const struct pipe *pipe, struct pipe_piece *piece)
{
	struct header header;

	if (!pipe->first)
		return false;
	header = header_at(pipe->first);
	*piece = (struct pipe_piece){
		.data = pipe->first->data + pipe->first->read + sizeof(header) + pipe->taken,
		.len = header.len - pipe->taken,
		.text = header.text,
		.first = header.first && pipe->taken == 0,
		.final = header.final,
	};
	return true;
}

void pipe_take(struct pipe *pipe, size_t len)
{
	struct pipe_chunk *chunk = pipe->first;
	struct header header = header_at(chunk);

	pipe->bytes -= len;
	pipe->taken += len;
	if (pipe->taken < header.len)
		return;
	pipe->taken = 0;
	chunk->read += sizeof(header) + header.len;
	if (chunk->read < chunk->written)
		return;
	pipe->first = chunk->next;
	if (!pipe->first)
		pipe->last = NULL;
	chunk->next = pipe->spent;
	pipe->spent = chunk;
}

bool pipe_is_empty(const struct pipe *pipe)
{
	return !pipe->first;
}
