/*
 * page: HTML for people: one layout, all text escaped, no script, nothing from elsewhere. In
 * workers.
 */
#pragma once

#include "gateway/api.h"

struct page;

/* Begins a page in the request's arena. */
struct page *page_begin(struct api_request *request, const char *title);

/* Adds markup of our own, as it is. */
void page_markup(struct page *page, const char *html);

/* Adds text from anywhere, escaped; fits also into a quoted attribute. */
void page_text(struct page *page, const char *text);

/* Adds "BEFORE text AFTER", the text escaped. */
void page_say(struct page *page, const char *before, const char *text, const char *after);

/* Ends it and makes it the reply. */
void page_send(struct page *page, enum http_status status);

/* A whole page that says one thing: a title, a sentence, and perhaps a detail. */
void page_send_message(struct api_request *request, enum http_status status, const char *title,
	const char *sentence, const char *detail);

/* Sends the browser elsewhere. */
void page_redirect(struct api_request *request, enum http_status status, const char *location);

/* Reads the form of a POST of our own pages; *good false: it is none, and the reply is made. */
err_t page_read_form(struct api_request *request, struct form *form, bool *good) MUST_CHECK;

/* Says that a form was not as expected. */
void page_refuse_form(struct api_request *request, const char *detail);

/* Adds a time of the API (RFC 3339) as people read it. */
void page_time(struct page *page, const char *time);

/* Says what was wrong, above a form; NULL: nothing. */
void page_wrong(struct page *page, const char *wrong);

/* A field of a form for a code of the second factor. */
void page_code_field(struct page *page, const char *label);

/* The one style sheet, of GET /pages/style.css. */
err_t page_style(struct api_request *request) MUST_CHECK;
