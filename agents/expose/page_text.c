/* page_text: see page_text.h. */
#include "agents/expose/page_text.h"

#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define STYLE                                                                                      \
	"body{margin:0;background:#f4f5f7;color:#1c2430;font:17px/1.5 system-ui,sans-serif}"       \
	"main{max-width:30rem;margin:8vh auto;padding:1.75rem;background:#fff;"                    \
	"border-radius:12px;box-shadow:0 1px 4px #0002}"                                           \
	"h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}p{margin:.75rem 0}"                \
	"label{display:block;font-weight:600;margin:1.25rem 0 .35rem}"                             \
	".name{display:flex;align-items:center;flex-wrap:wrap;gap:.4rem}"                          \
	"input{flex:1 1 9rem;min-width:0;font:inherit;padding:.6rem .7rem;"                        \
	"border:1px solid #8a94a3;border-radius:8px}"                                              \
	"button{width:100%;margin-top:1.25rem;padding:.75rem;font:inherit;font-weight:600;"        \
	"color:#fff;background:#1f5fbf;border:0;border-radius:8px}"                                \
	"input:focus,button:focus,a:focus{outline:3px solid #7fb0f5;outline-offset:1px}"           \
	".wrong{padding:.6rem .8rem;background:#fdecea;color:#8c1d12;border-radius:8px}"           \
	".quiet{color:#5a6675;font-size:.93rem}a{color:#1f5fbf}"                                   \
	"b,a{overflow-wrap:anywhere}"                                                              \
	"@media(max-width:32rem){main{margin:0;border-radius:0;min-height:100vh;"                  \
	"box-sizing:border-box}}"

static char *page(const char *refresh, const char *title, const char *body)
{
	return xasprintf("<!doctype html>\n<html lang=en><meta charset=utf-8>\n"
			 "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
			 "%s<title>%s</title>\n<style>%s</style>\n"
			 "<main><h1>%s</h1>\n%s</main></html>\n",
		refresh, title, STYLE, title, body);
}

/* Text as it may stand in HTML, between tags and in quotation marks. */
static char *escaped(const char *text)
{
	char *out = xmalloc(6 * strlen(text) + 1), *at = out;

	for (; *text != '\0'; text++)
		if (strchr("&<>\"'", *text) != NULL)
			at += sprintf(at, "&#%d;", *text);
		else
			*at++ = *text;
	*at = '\0';
	return out;
}

/* A paragraph about what holds things up; "" if nothing does. */
static char *problem(const struct page_view *view)
{
	AUTO_FREE char *text = escaped(view->problem);

	return *text == '\0' ? xstrdup("") : xasprintf("<p class=wrong>%s</p>\n", text);
}

char *page_text_wait(const struct page_view *view)
{
	AUTO_FREE char *trouble = problem(view);
	AUTO_FREE char *body = xasprintf(
		"<p>This device is getting its certificate, so that only you can read what you "
		"tell it. That takes a few seconds; this page goes on by itself.</p>\n%s",
		trouble);

	return page("<meta http-equiv=refresh content=2>\n", "One moment", body);
}

char *page_text_strange(void)
{
	return page("", "Please come from the local network",
		"<p>This page sets up a device for the people who are near it. Open it by the "
		"device's local name, for example <b>http://gateway.local</b>, in the same network "
		"as the device.</p>\n"
		"<p class=quiet>Did you come from there? Then too much time has passed: open the "
		"local name once more.</p>\n");
}

char *page_text_form(const struct page_view *view, const char *label, const char *refused)
{
	AUTO_FREE char *why = escaped(refused);
	AUTO_FREE char *value = escaped(label);
	AUTO_FREE char *zone = escaped(view->zone);
	AUTO_FREE char *wrong =
		*why == '\0' ? xstrdup("") : xasprintf("<p class=wrong role=alert>%s</p>\n", why);
	AUTO_FREE char *body = xasprintf(
		"<p>By its name you reach this device from everywhere, over a connection that "
		"nobody else can read.</p>\n%s"
		"<form method=post action=/name><label for=name>Name</label>\n"
		"<div class=name><input id=name name=name value=\"%s\" required autofocus "
		"maxlength=63 autocapitalize=none autocomplete=off spellcheck=false "
		"pattern=\"[A-Za-z0-9]([A-Za-z0-9\\-]*[A-Za-z0-9])?\" "
		"title=\"Letters, digits and dashes\"><span>.%s</span></div>\n"
		"<p class=quiet>Letters, digits and dashes. Others can see the name.</p>\n"
		"<button>Use this name</button></form>\n",
		wrong, value, zone);

	return page("", "Choose a name for your device", body);
}

static char *text_ready(const struct page_view *view)
{
	AUTO_FREE char *name = escaped(view->name);
	AUTO_FREE char *refresh =
		xasprintf("<meta http-equiv=refresh content=\"1; url=https://%s/\">\n", name);
	AUTO_FREE char *body = xasprintf("<p>Your device is at</p>\n"
					 "<p><a href=\"https://%s/\"><b>https://%s</b></a></p>\n"
					 "<p class=quiet>You are taken there now.</p>\n",
		name, name);

	return page(refresh, "It is ready", body);
}

char *page_text_progress(const struct page_view *view)
{
	AUTO_FREE char *label = escaped(view->name[0] != '\0' ? view->name : view->label);
	AUTO_FREE char *trouble = problem(view);
	AUTO_FREE char *body = NULL;

	if (view->ready)
		return text_ready(view);
	body = xasprintf("<p><b>%s</b> is being set up: its name, its certificate and the way to "
			 "it. That takes a few seconds; this page goes on by itself.</p>\n%s",
		label, trouble);
	return page("<meta http-equiv=refresh content=1>\n", "Almost there", body);
}
