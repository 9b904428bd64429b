# shellcheck shell=bash
# shellcheck disable=SC2034 # some variables are only used by the scripts that source this
# What scripts/* share: settings, words to the user, packages, and the supervisor. Sourced, never run.

set -euo pipefail
umask 022

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
readonly root

# ---- settings ----

settings_help=

# setting NAME DEFAULT HELP: the variable from the environment, or its default; also a row of --help.
setting() {
	[[ -n ${!1:-} ]] || printf -v "$1" '%s' "$2"
	export -n "${1?}"
	settings_help+=$(printf '  %-24s %s (default: %s)' "$1" "$3" "${2#"$root/"}")$'\n'
}

setting LANYARD_VAR "$root/var" "folder of the fleet: data, secrets, logs"
setting LANYARD_BUILD "$root/build/release" "build folder; one that is configured keeps its options"
setting LANYARD_GATEWAY_PORT 8443 "REST API"
setting LANYARD_DATAPLANE_PORT 9443 "WebSocket of devices"
setting LANYARD_NYMEA_PAIR_PORT 1212 "pairing of nymea's clients over WebSocket; the next one over TCP"
setting LANYARD_NYMEA_TUNNEL_PORT 2212 "nymea's tunnel proxy over WebSocket; the next one over TCP"
setting LANYARD_TUNNEL_PORT 10443 "https of devices' names"
setting LANYARD_TUNNEL_HTTP_PORT 10080 "http of devices' names"
setting LANYARD_DNS_PORT 5300 "DNS"
setting LANYARD_OPS_PORT 9100 "first of six ports with /readyz and /metrics"
setting LANYARD_NETNS_PREFIX lanyard- "the example devices' network namespaces are PREFIXalpha, PREFIXbeta"

var=$(readlink -m "$LANYARD_VAR")
build=$(readlink -m "$LANYARD_BUILD")
readonly var build

# The order in which they start. Number N runs as user id first_uid + N; gateway and dataplane are of group doors_gid, too.
readonly services=(auth provision rendezvous dns gateway dataplane)
readonly agents=(alpha beta)
readonly doors_gid=59899 fleet_gid=59900 first_uid=59901 pdns_uid=59907

# ---- words ----

log=/dev/null  # of this run, once there is a folder for it
step_title=
step_advice=

# step TITLE ADVICE: a line to the user; ADVICE is what to do should the step fail.
step() {
	step_title=$1
	step_advice=$2
	printf '[%3d s] %s\n' "$SECONDS" "$1"
	printf '\n=== %s ===\n' "$1" >>"$log"
}

note() {
	printf '        %s\n' "$*"
}

# die REASON [ADVICE]
die() {
	step_advice=${2:-$step_advice}
	printf '\nFAILED: %s\n  %s\n' "$step_title" "$1" >&2
	step_title=
	exit 1
}

# The exit trap of up and test: a failed command names its step, the log and what to do.
report_failure() {
	local status=$?
	((status != 0)) || return 0
	[[ -z $step_title ]] || printf '\nFAILED: %s\n' "$step_title" >&2
	if [[ -s $log ]]; then
		printf '  Log: %s, which ends with\n' "$log" >&2
		tail -n 12 "$log" | sed 's/^/    | /' >&2
	fi
	printf '  What to do: %s\n' "$step_advice" >&2
	exit 1
}

logged() {
	"$@" >>"$log" 2>&1
}

not() {
	! "$@"
}

# wait_until SECONDS COMMAND...: runs it again and again until it succeeds.
wait_until() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < deadline)) || return 1
		sleep 0.1
	done
}

# open_folder NAME: makes the folder of the fleet, keeps any other run out, and begins the log NAME.log.
open_folder() {
	install -d -m 711 "$var"
	install -d -m 750 "$var/log"
	exec 8>"$var/lock"
	flock --nonblock 8 || die "another scripts/up or scripts/down is at work in $var" "wait for it to end, or end it"
	log=$var/log/$1.log
	: >"$log"
}

# ---- packages ----

missing_packages() {
	local list package
	for list in "$@"; do
		while read -r package; do
			[[ $package == '#'* ]] ||
				dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
				echo "$package"
		done <"$root/scripts/packages/$list.txt"
	done
}

# Debian's packages start a PostgreSQL cluster and a DNS server of their own. A fleet has its own of both, so
# while it installs them, these are kept from being made, started and enabled; earlier ones aren't touched.
install_packages() {
	local cluster=/etc/postgresql-common/createcluster.d/lanyard.conf policy=/usr/sbin/policy-rc.d
	local status=0
	mkdir -p "${cluster%/*}"
	echo 'create_main_cluster = false' >"$cluster"
	if [[ -e $policy ]]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	{
		export DEBIAN_FRONTEND=noninteractive
		apt-get -q -o DPkg::Lock::Timeout=120 update &&
			apt-get -qy -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
	} </dev/null >>"$log" 2>&1 || status=$?
	rm -f "$cluster" ${policy:+"$policy"}
	if [[ " $* " == *' pdns-server '* && -d /run/systemd/system ]]; then
		logged systemctl disable pdns.service || true
	fi
	return "$status"
}

# ensure_packages LIST...: installs what is missing of scripts/packages/LIST.txt.
ensure_packages() {
	local -a missing
	mapfile -t missing < <(missing_packages "$@")
	if ((${#missing[@]} == 0)); then
		note "all there"
		return
	fi
	note "installing ${missing[*]}"
	install_packages "${missing[@]}"
}

# ---- supervisor: runit's runsvdir over var/service ----

# The process id of the fleet's runsvdir; fails if it does not run.
supervisor_pid() {
	local pid
	pid=$(cat "$var/run/supervisor.pid" 2>/dev/null) &&
		tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF "$var/service" &&
		echo "$pid"
}

# supervise ACTION... NAME: runit's sv for one service.
supervise() {
	SVDIR=$var/service sv "$@" >>"$log" 2>&1
}

# Is its runsv there? It answers even when the service itself is down.
is_supervised() {
	SVDIR=$var/service sv status "$1" >/dev/null 2>&1
}

# Stops one service and the processes that supervise it and write its log.
stop_service() {
	! is_supervised "$1" || supervise -w 30 force-shutdown "$1" || true
	wait_until 10 not is_supervised "$1"
}

# Stops everything, devices first and PostgreSQL last, whatever of it runs.
stop_fleet() {
	local pid name
	if pid=$(supervisor_pid); then
		kill -TERM "$pid"
		wait_until 10 not supervisor_pid >/dev/null
	fi
	rm -f "$var/run/supervisor.pid"
	for name in $(service_folders | sort -k1,1n | cut -d' ' -f2); do
		stop_service "$name"
	done
}

# Prints "RANK NAME" for each service that was ever set up here: its place in the order of stopping.
service_folders() {
	local folder
	for folder in "$var"/service/*/; do
		case $(basename "$folder") in
		agent-*) echo "1 $(basename "$folder")" ;;
		gateway* | dataplane*) echo "2 $(basename "$folder")" ;;
		postgres) echo "4 postgres" ;;
		'*') ;;
		*) echo "3 $(basename "$folder")" ;;
		esac
	done
}

remove_namespaces() {
	local name
	[[ -e $var/run/namespaces ]] || return 0
	while read -r name; do
		[[ ! -e /run/netns/$name ]] || ip netns delete "$name"
	done <"$var/run/namespaces"
	rm -f "$var/run/namespaces"
}
