/* view: see view.h. */
#include "agents/monitor/view.h"

#include "agents/monitor/model.h"
#include "agents/monitor/text.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <ncurses.h>

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_SIZE    1024 /* bytes of a line */
#define COLUMNS_MAX  250
#define HEAD_LINES   4
#define KEY_ESCAPE   27
#define ESCAPE_MS    25 /* for the rest of a key that begins with it */
#define PAIR_PROBLEM 1

enum page { PAGE_TUNNELS, PAGE_CONNECTIONS };

struct view {
	SCREEN *screen;
	const char *title;
	json_t *model; /* NULL: none yet */
	char problem[256];
	enum page page;
	int first; /* line of the page that is shown first */
	int n_lines;
};

/* ---- lines ---- */

static void put_line(int y, attr_t attributes, const char *text)
{
	char line[LINE_SIZE];
	int width = COLS < COLUMNS_MAX ? COLS : COLUMNS_MAX;

	if (y >= LINES)
		return;
	text_fit(line, sizeof(line), text, (unsigned)width);
	attrset(attributes);
	mvaddstr(y, 0, line);
	attrset(A_NORMAL);
}

/* The next line of the page, which may be outside of what is shown. */
static void page_line(struct view *view, const char *text)
{
	int y = HEAD_LINES + view->n_lines++ - view->first;

	if (y >= HEAD_LINES)
		put_line(y, A_NORMAL, text);
}

static void age_of(char out[TEXT_SHORT], const json_t *object, const char *member)
{
	text_duration(out, clock_unix_ms() / 1000 - text_time(model_text(object, member)));
}

static void number_of(char out[TEXT_SHORT], const json_t *object, const char *member)
{
	text_bytes(out, (uint64_t)model_number(object, member));
}

static const char *name_of(const json_t *connection)
{
	const char *name = model_text(connection, "name");

	return *name != '\0' ? name : "-";
}

static const char *address_of(const json_t *connection)
{
	return connection ? model_text(connection, "remote_address") : "?";
}

/* ---- the page of tunnels ---- */

#define TUNNEL_COLUMNS "%-10s  %-6s  %10s/s  %10s  %s"

static void pair_who(char *out, size_t size, const json_t *connections)
{
	const json_t *one = json_array_get(connections, 0), *other = json_array_get(connections, 1);

	snprintf(out, size, "%.100s (%s) <-> %.100s (%s)", name_of(one), address_of(one),
		other ? name_of(other) : "?", address_of(other));
}

static void client_line(struct view *view, const json_t *client)
{
	char line[LINE_SIZE], age[TEXT_SHORT], rate[TEXT_SHORT], bytes[TEXT_SHORT];

	age_of(age, client, "started_at");
	text_bytes(rate,
		(uint64_t)(model_number(client, "rx_rate") + model_number(client, "tx_rate")));
	text_bytes(bytes,
		(uint64_t)(model_number(client, "rx_bytes") + model_number(client, "tx_bytes")));
	snprintf(line, sizeof(line), TUNNEL_COLUMNS " (%s)", age, "client", rate, bytes,
		name_of(client), address_of(client));
	page_line(view, line);
}

static void tunnel_lines(struct view *view, const json_t *tunnel)
{
	const json_t *connections = json_object_get(tunnel, "connections"), *one;
	bool pair = strcmp(model_text(tunnel, "kind"), "pair") == 0;
	char line[LINE_SIZE], who[LINE_SIZE / 2];
	char age[TEXT_SHORT], rate[TEXT_SHORT], bytes[TEXT_SHORT];
	size_t i;

	age_of(age, tunnel, "since");
	number_of(rate, tunnel, "rate");
	number_of(bytes, tunnel, "bytes");
	one = json_array_get(connections, 0);
	if (pair)
		pair_who(who, sizeof(who), connections);
	else
		snprintf(who, sizeof(who), "%.100s (%s), a server", name_of(one), address_of(one));
	snprintf(line, sizeof(line), TUNNEL_COLUMNS, age, model_text(tunnel, "kind"), rate, bytes,
		who);
	page_line(view, line);
	if (pair)
		return;
	json_array_foreach(
		connections, i, one) if (strcmp(model_text(one, "kind"), "tunnel_client") == 0)
		client_line(view, one);
}

/* ---- the page of connections ---- */

#define CONNECTION_COLUMNS "%-10s  %-13s  %-7s  %10s/s  %10s/s  %10s  %10s  %-9s  %s"

static void connection_line(struct view *view, const json_t *one)
{
	char line[LINE_SIZE], who[LINE_SIZE / 4], age[TEXT_SHORT];
	char rx_rate[TEXT_SHORT], tx_rate[TEXT_SHORT], rx[TEXT_SHORT], tx[TEXT_SHORT];

	age_of(age, one, "started_at");
	number_of(rx_rate, one, "rx_rate");
	number_of(tx_rate, one, "tx_rate");
	number_of(rx, one, "rx_bytes");
	number_of(tx, one, "tx_bytes");
	snprintf(who, sizeof(who), "%.100s (%s)", name_of(one), address_of(one));
	snprintf(line, sizeof(line), CONNECTION_COLUMNS, age, model_text(one, "kind"),
		model_text(one, "state"), rx_rate, tx_rate, rx, tx, model_text(one, "transport"),
		who);
	page_line(view, line);
}

/* ---- the screen ---- */

static void head_lines(const struct view *view)
{
	const json_t *totals = json_object_get(view->model, "totals");
	bool tunnels = view->page == PAGE_TUNNELS;
	char line[LINE_SIZE], rate[TEXT_SHORT], bytes[TEXT_SHORT];

	snprintf(line, sizeof(line), " lanyard monitor  %.200s  %s", view->title,
		model_text(view->model, "time"));
	put_line(0, A_REVERSE, line);
	number_of(rate, totals, "rate");
	number_of(bytes, totals, "bytes");
	snprintf(line, sizeof(line),
		" Pairs %d  Servers %d  Their clients %d  Waiting %d  Connections %d  %s/s  %s",
		(int)model_number(totals, "pairs"), (int)model_number(totals, "tunnel_servers"),
		(int)model_number(totals, "tunnel_clients"), (int)model_number(totals, "waiting"),
		(int)model_number(totals, "connections"), rate, bytes);
	put_line(1, A_NORMAL, view->model ? line : " Asking ...");
	if (view->problem[0] != '\0')
		put_line(2, A_BOLD | (has_colors() ? COLOR_PAIR(PAIR_PROBLEM) : 0), view->problem);
	else
		put_line(2, A_NORMAL,
			tunnels ? " [Tunnels]  Connections   Tab: page  Up, Down: scroll  q: quit"
				: "  Tunnels  [Connections]  Tab: page  Up, Down: scroll  q: quit");
	if (tunnels)
		snprintf(line, sizeof(line), TUNNEL_COLUMNS, "SINCE", "KIND", "RATE", "BYTES",
			"WHO");
	else
		snprintf(line, sizeof(line), CONNECTION_COLUMNS, "SINCE", "KIND", "STATE", "FROM",
			"TO", "FROM", "TO", "BY", "WHO");
	put_line(3, A_BOLD, line);
}

static void page_lines(struct view *view)
{
	bool tunnels = view->page == PAGE_TUNNELS;
	const json_t *list = json_object_get(view->model, tunnels ? "tunnels" : "connections");
	const json_t *one;
	size_t i;

	view->n_lines = 0;
	json_array_foreach(list, i, one)
	{
		if (tunnels)
			tunnel_lines(view, one);
		else
			connection_line(view, one);
	}
}

static void draw(struct view *view)
{
	erase();
	head_lines(view);
	page_lines(view);
	refresh();
}

/* Draws from line `first` on, or from the last one from which the page is full. */
static void scroll_to(struct view *view, int first)
{
	int last = view->n_lines - (LINES - HEAD_LINES);

	view->first = first > last ? last : first;
	view->first = view->first < 0 ? 0 : view->first;
	draw(view);
}

err_t view_open(struct view **out, const char *title, struct fault *fault)
{
	struct view *view;
	SCREEN *screen;

	setlocale(LC_CTYPE, "");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fault_set(fault, ERR_FAILED_PRECONDITION, "",
			"standard input and output are no terminal; use --json");
	if (!(screen = newterm(NULL, stdout, stdin)))
		return fault_set(fault, ERR_FAILED_PRECONDITION, "",
			"the terminal of TERM=%.60s is not known, or can't move its cursor; use "
			"--json",
			getenv("TERM") ? getenv("TERM") : "");
	view = *out = xcalloc(1, sizeof(*view));
	view->screen = screen;
	view->title = title;
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_PROBLEM, COLOR_RED, -1);
	}
	draw(view);
	return OK;
}

void view_close(struct view *view)
{
	if (!view)
		return;
	endwin();
	delscreen(view->screen);
	json_decref(view->model);
	free(view);
}

void view_show(struct view *view, json_t *model)
{
	json_decref(view->model);
	view->model = json_incref(model);
	view->problem[0] = '\0';
	draw(view);
	scroll_to(view, view->first); /* it may be shorter now */
}

void view_problem(struct view *view, const char *problem)
{
	snprintf(view->problem, sizeof(view->problem), " %s", problem);
	draw(view);
}

bool view_keys(struct view *view)
{
	int page_height = LINES > HEAD_LINES + 1 ? LINES - HEAD_LINES - 1 : 1;
	int key;

	while ((key = getch()) != ERR) {
		switch (key) {
		case 'q':
		case 'Q':
		case KEY_ESCAPE:
			return false;
		case '\t':
		case KEY_LEFT:
		case KEY_RIGHT:
			view->page = view->page == PAGE_TUNNELS ? PAGE_CONNECTIONS : PAGE_TUNNELS;
			view->first = 0;
			draw(view);
			break;
		case KEY_UP:
		case KEY_DOWN:
			scroll_to(view, view->first + (key == KEY_UP ? -1 : 1));
			break;
		case KEY_PPAGE:
		case KEY_NPAGE:
			scroll_to(view,
				view->first + (key == KEY_PPAGE ? -page_height : page_height));
			break;
		default:
			break;
		}
	}
	return true;
}

void view_resize(struct view *view)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
		resizeterm(size.ws_row, size.ws_col);
	clearok(stdscr, TRUE);
	scroll_to(view, view->first);
}
