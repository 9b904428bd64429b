/* page: see page.h. The text grows in the arena by doubling. */
#include "gateway/pages/page.h"

#include "gateway/oauth/site.h"

#include <string.h>

#define FIRST_SIZE 2048

struct page {
	struct api_request *request;
	char *text;
	size_t len, size;
};

static void append(struct page *page, const char *text, size_t len)
{
	if (page->len + len + 1 > page->size) {
		size_t size = page->size;
		char *grown;

		while (page->len + len + 1 > size)
			size *= 2;
		grown = arena_alloc(page->request->call->arena, size);
		memcpy(grown, page->text, page->len);
		page->text = grown;
		page->size = size;
	}
	memcpy(page->text + page->len, text, len);
	page->len += len;
	page->text[page->len] = '\0';
}

void page_markup(struct page *page, const char *html)
{
	append(page, html, strlen(html));
}

static const char *escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void page_text(struct page *page, const char *text)
{
	for (; *text != '\0'; text++) {
		const char *escape = escape_of(*text);

		if (escape != NULL)
			page_markup(page, escape);
		else
			append(page, text, 1);
	}
}

void page_say(struct page *page, const char *before, const char *text, const char *after)
{
	page_markup(page, before);
	page_text(page, text);
	page_markup(page, after);
}

struct page *page_begin(struct api_request *request, const char *title)
{
	struct page *page = arena_alloc(request->call->arena, sizeof(*page));

	page->request = request;
	page->size = FIRST_SIZE;
	page->text = arena_alloc(request->call->arena, page->size);
	page_say(page,
		"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>",
		title, "</title><link rel=\"stylesheet\" href=\"/pages/style.css\"></head>\n");
	page_say(page, "<body><main><h1>", title, "</h1>\n");
	return page;
}

/* form-action is left open: an app's redirect follows a form, and browsers would stop it. */
static void protect(struct http_reply *reply)
{
	http_reply_add(reply, "Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
		"frame-ancestors 'none'");
	http_reply_add(reply, "X-Frame-Options", "DENY");
	http_reply_add(reply, "Referrer-Policy", "same-origin");
}

void page_send(struct page *page, enum http_status status)
{
	struct http_reply *reply = page->request->reply;

	page_markup(page, "</main></body></html>\n");
	reply->status = status;
	reply->content_type = "text/html; charset=utf-8";
	reply->body = page->text;
	reply->body_len = page->len;
	protect(reply);
}

void page_send_message(struct api_request *request, enum http_status status, const char *title,
	const char *sentence, const char *detail)
{
	struct page *page = page_begin(request, title);

	page_say(page, "<p>", sentence, "</p>\n");
	if (detail != NULL)
		page_say(page, "<p class=\"detail\">", detail, "</p>\n");
	page_send(page, status);
}

void page_redirect(struct api_request *request, enum http_status status, const char *location)
{
	request->reply->status = status;
	http_reply_add(request->reply, "Location", location);
	protect(request->reply);
}

void page_refuse_form(struct api_request *request, const char *detail)
{
	page_send_message(request, HTTP_BAD_REQUEST, "That did not work",
		"The form was not as expected.", detail);
}

err_t page_read_form(struct api_request *request, struct form *form, bool *good)
{
	*good = false;
	if (!site_is_own_form(request)) {
		page_refuse_form(request, "unexpected Origin or Referer");
		return OK;
	}
	if (form_parse(request->call, "form", request->http->body, request->http->body_len, form) !=
		OK)
		page_refuse_form(request, request->call->fault.detail);
	else
		*good = true;
	return OK;
}

void page_time(struct page *page, const char *time)
{
	size_t date = strcspn(time, "T");

	append(page, time, date);
	if (time[date] == '\0')
		return;
	append(page, " ", 1);
	append(page, time + date + 1, strnlen(time + date + 1, strlen("hh:mm")));
	page_markup(page, " UTC");
}

void page_wrong(struct page *page, const char *wrong)
{
	if (wrong != NULL)
		page_say(page, "<p class=\"wrong\" role=\"alert\">", wrong, "</p>\n");
}

void page_code_field(struct page *page, const char *label)
{
	page_say(page, "<label for=\"code\">", label,
		"</label><input id=\"code\" name=\"code\" required maxlength=\"32\""
		" autocomplete=\"one-time-code\" autocapitalize=\"characters\""
		" spellcheck=\"false\">\n");
}

err_t page_style(struct api_request *request)
{
	static const char style[] =
		":root{color-scheme:light dark;--line:#8886;--accent:#1f6feb}\n"
		"body{margin:0;font:1.05rem/1.5 system-ui,sans-serif}\n"
		"main{max-width:26rem;margin:8vh auto;padding:0 1.25rem}\n"
		"h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}\n"
		"label{display:block;margin:1rem 0 .25rem}\n"
		"input{box-sizing:border-box;width:100%;font:inherit;padding:.6rem .7rem;"
		"border:1px solid var(--line);border-radius:.4rem}\n"
		"button{font:inherit;padding:.65rem 1.2rem;margin:1.25rem .5rem 0 0;cursor:pointer;"
		"border:1px solid var(--line);border-radius:.4rem;background:transparent;"
		"color:inherit}\n"
		"button.main{background:var(--accent);border-color:var(--accent);color:#fff}\n"
		"li{margin:.25rem 0}\n"
		"h2{font-size:1.15rem;margin:2rem 0 .5rem}\n"
		"a{color:var(--accent)}\n"
		".card{border:1px solid var(--line);border-radius:.4rem;margin:.75rem 0;"
		"padding:.75rem 1rem}\n"
		".card p,.card ul{margin:.15rem 0}\n"
		".card button{margin:.6rem 0 0;padding:.4rem .9rem}\n"
		".more{font-size:.9rem;opacity:.8}\n"
		".qr svg{display:block;width:13rem;height:13rem;margin:1rem 0}\n"
		".codes li{margin:0;padding:.15rem 0}\n"
		".codes{columns:2;font-family:ui-monospace,monospace;list-style:none;padding:0}\n"
		".wrong{border-left:.25rem solid #d1242f;padding-left:.75rem}\n"
		".detail{font-family:ui-monospace,monospace;font-size:.9rem;"
		"overflow-wrap:anywhere}\n";

	http_reply_add(request->reply, "Cache-Control", "public, max-age=3600");
	request->reply->status = HTTP_OK;
	request->reply->content_type = "text/css; charset=utf-8";
	request->reply->body = style;
	request->reply->body_len = sizeof(style) - 1;
	return OK;
}
