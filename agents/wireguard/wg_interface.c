/* wg_interface: see wg_interface.h. */
#include "agents/wireguard/wg_interface.h"

#include "agents/child.h"
#include "agents/lan/netlink.h"
#include "agents/netns.h"
#include "agents/state.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KIND	    "wireguard"
#define SOCKETS	    "/var/run/wireguard" /* of wireguard-go, for wg */
#define CONFIG_FILE "interface.conf"
#define DUMP_FILE   "dump"
#define DUMP_MAX    (512 * 1024)
#define WG_S	    5
/* It ends with us, however we end. */
#define GO_COMMAND  "exec setpriv --pdeathsig TERM wireguard-go -f \"$WG_INTERFACE\""
#define SET_COMMAND "exec wg syncconf \"$WG_INTERFACE\" \"$WG_DIR/" CONFIG_FILE "\""
/* But for the first line, which has the key. */
#define DUMP_COMMAND                                                                               \
	"umask 077; wg show \"$WG_INTERFACE\" dump | tail -n +2 >\"$WG_DIR/" DUMP_FILE "\""

struct wg_interface {
	struct wg_interface_options options;
	struct netlink *netlink;
	struct child *go; /* NULL: it is the kernel's */
	char *variables[3];
};

/* ---- what is run ---- */

/* In the namespace of the interface, where wg finds the kernel's. */
static err_t run_wg(const struct wg_interface *interface, const char *command, struct fault *fault)
{
	int home;
	err_t err = netns_enter(interface->options.netns, &home, fault);

	if (err != OK)
		return err;
	err = shell_run(command, (const char *const *)interface->variables, WG_S, fault);
	netns_leave(home);
	return err;
}

static void on_end(void *context, int status)
{
	struct wg_interface *interface = context;

	interface->options.ended(interface->options.context, status);
}

/* The socket of a wireguard-go that runs, perhaps in another namespace. */
static bool is_taken(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool taken;

	snprintf(address.sun_path, sizeof(address.sun_path), SOCKETS "/%s.sock", name);
	taken = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return taken;
}

static err_t start_go(struct wg_interface *interface, struct fault *fault)
{
	const struct wg_interface_options *options = &interface->options;
	pid_t pid;
	int home;
	err_t err;

	if (is_taken(options->name))
		return fault_set(fault, ERR_ALREADY_EXISTS, "interface",
			"a wireguard-go for %.40s runs already, here or in another network "
			"namespace: choose another --interface",
			options->name);
	if ((err = netns_enter(options->netns, &home, fault)) != OK)
		return err;
	err = shell_start(&pid, GO_COMMAND, (const char *const *)interface->variables, fault);
	netns_leave(home);
	if (err != OK)
		return err;
	interface->go = child_create(options->loop, pid, CHILD_NO_LIMIT, on_end, interface);
	log_info("wireguard_go", "pid=%d text=\"the kernel has no WireGuard\"", (int)pid);
	return OK;
}

/* ---- the interface ---- */

static err_t make(struct wg_interface *interface, struct fault *fault)
{
	const char *name = interface->options.name;
	struct netlink_link found;

	if (netlink_find(interface->netlink, name, &found) &&
		(strcmp(found.kind, KIND) != 0 || !netlink_remove(interface->netlink, found.index)))
		return fault_set(fault, ERR_ALREADY_EXISTS, "interface",
			"there is an interface %.40s already that is not WireGuard's: choose "
			"another --interface",
			name);
	if (netlink_make(interface->netlink, name, KIND, 0) != 0)
		return OK;
	if (errno == EOPNOTSUPP || errno == EAFNOSUPPORT)
		return start_go(interface, fault);
	return fault_set(fault, ERR_INTERNAL, "interface",
		"can't make the WireGuard interface %.40s: %m; run as root", name);
}

static err_t open_netlink(struct wg_interface *interface, struct fault *fault)
{
	int home;
	err_t err = netns_enter(interface->options.netns, &home, fault);

	if (err != OK)
		return err;
	err = netlink_open(&interface->netlink, fault);
	netns_leave(home);
	return err;
}

err_t wg_interface_open(
	struct wg_interface **out, const struct wg_interface_options *options, struct fault *fault)
{
	struct wg_interface *interface = xcalloc(1, sizeof(*interface));
	err_t err;

	interface->options = *options;
	interface->variables[0] = xasprintf("WG_INTERFACE=%s", options->name);
	interface->variables[1] = xasprintf("WG_DIR=%s", options->dir);
	if ((err = open_netlink(interface, fault)) == OK && (err = make(interface, fault)) == OK)
		*out = interface;
	else
		wg_interface_close(interface);
	return err;
}

/* A wireguard-go that is killed leaves its socket. */
static void end_go(struct wg_interface *interface)
{
	AUTO_FREE char *path = xasprintf(SOCKETS "/%s.sock", interface->options.name);

	child_destroy(interface->go);
	unlink(path);
}

void wg_interface_close(struct wg_interface *interface)
{
	struct netlink_link found;

	if (interface == NULL)
		return;
	if (interface->go != NULL)
		end_go(interface);
	else if (interface->netlink != NULL &&
		 netlink_find(interface->netlink, interface->options.name, &found) &&
		 strcmp(found.kind, KIND) == 0)
		(void)netlink_remove(interface->netlink, found.index);
	netlink_close(interface->netlink);
	free(interface->variables[0]);
	free(interface->variables[1]);
	free(interface);
}

bool wg_interface_is_there(const struct wg_interface *interface)
{
	struct netlink_link found;

	return netlink_find(interface->netlink, interface->options.name, &found) &&
	       (interface->go == NULL || is_taken(interface->options.name));
}

err_t wg_interface_set_mtu(const struct wg_interface *interface, uint32_t mtu, struct fault *fault)
{
	const char *name = interface->options.name;
	struct netlink_link found;

	if (netlink_find(interface->netlink, name, &found) &&
		netlink_set_mtu(interface->netlink, found.index, mtu))
		return OK;
	return fault_set(fault, ERR_INTERNAL, "interface", "can't set the MTU of %.40s: %m", name);
}

err_t wg_interface_set(
	const struct wg_interface *interface, const char *config, struct fault *fault)
{
	err_t err = state_write_file(interface->options.dir, CONFIG_FILE, config, fault);

	return err == OK ? run_wg(interface, SET_COMMAND, fault) : err;
}

err_t wg_interface_dump(const struct wg_interface *interface, char **dump, struct fault *fault)
{
	AUTO_FREE char *path = xasprintf("%s/" DUMP_FILE, interface->options.dir);
	err_t err = run_wg(interface, DUMP_COMMAND, fault);

	return err == OK ? state_read_file(path, DUMP_MAX, dump, fault) : err;
}
