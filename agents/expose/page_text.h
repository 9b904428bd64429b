/*
 * page_text: the pages in HTML: no script, no other file, readable on a phone. Pure; texts are
 * malloc'ed.
 */
#pragma once

#include "agents/expose/page.h"

#define PAGE_STYLE_POLICY "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

/* For who is in the local network, while the device cannot be reached over https yet. */
char *page_text_wait(const struct page_view *view);

/* For who has no key. */
char *page_text_strange(void);

/* Asks for a name; `refused` says why the last one (`label`) can't be; "": there was none. */
char *page_text_form(const struct page_view *view, const char *label, const char *refused);

/* While the chosen name gets its certificate; then where it is. */
char *page_text_progress(const struct page_view *view);
