/*
 * view: lanyard monitor on a terminal: a page of tunnels and one of connections. The only code that
 * sees ncurses. One at a time.
 */
#pragma once

#include "lib/err.h"

#include <jansson.h>

#include <stdbool.h>

struct view;

/* Takes over the terminal; keeps `title`. */
err_t view_open(struct view **out, const char *title, struct fault *fault) MUST_CHECK;
void view_close(struct view *view); /* gives the terminal back; NULL is fine */

/* Shows a model (model.h), which it keeps a reference to. */
void view_show(struct view *view, json_t *model);

/* Shows, with the model of before, why there is no newer one. */
void view_problem(struct view *view, const char *problem);

/* Acts on the keys that were pressed; false: one of them was to quit. */
bool view_keys(struct view *view);

/* The terminal has another size. */
void view_resize(struct view *view);
