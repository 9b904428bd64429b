# shellcheck shell=bash disable=SC2034,SC2154 # names shared with scripts/up
# The fleet under var/: keys, certificates, database, and every process under runit. Sourced by scripts/up.
#
#   bin/ tls/            binaries and certificates
#   secrets/             keys and passwords; each file is readable for those that need it only
#   postgres/            data of the database
#   run/                 sockets
#   service/NAME/run     how a process is started; log/NAME/current: what it says
#
# A confined process sees var/ as /srv (scripts/confine). A file is written only if that changes it, and a process
# is started again if a file it was started with is newer (supervise_up).

readonly bootstrap=$var/secrets/auth/bootstrap
readonly pg_bin=/usr/lib/postgresql/15/bin
superuser=

index_of() {
	local n
	for n in "${!services[@]}"; do
		[[ ${services[n]} != "$1" ]] || echo "$n"
	done
}

uid_of() {
	echo $((first_uid + $(index_of "$1")))
}

ops_port() {
	echo $((LANYARD_OPS_PORT + $(index_of "$1")))
}

# put FILE MODE OWNER: standard input becomes FILE, all or nothing; it is left alone if that's what it is.
put() {
	(umask 077 && cat >"$1.new")
	chown "$3" "$1.new"
	chmod "$2" "$1.new"
	if cmp -s "$1.new" "$1"; then
		rm "$1.new"
	else
		mv -T "$1.new" "$1"
	fi
}

# ---- keys and certificates ----

make_folders() {
	install -d -m 755 "$var/bin" "$var/run" "$var/service"
	install -d -m 700 "$var/agents"
	install -d -m 750 -o "$(uid_of dns)" -g "$fleet_gid" "$var/run/dns"
	install -d -m 700 -o "$pdns_uid" -g "$fleet_gid" "$var/run/pdns"
	install -d -m 700 -o postgres -g postgres "$var/postgres"
	install -d -m 755 -o postgres -g postgres "$var/run/postgres"
}

# ---- database ----

# The cluster takes no network connections. root is its superuser by way of the socket; services show a password.
make_cluster() {
	[[ -e $var/postgres/data ]] && return
	rm -rf "$var/postgres/new"
	logged "$root/scripts/confine" "$var" "$(id -u postgres)" "$(id -g postgres)" \
		"$pg_bin/initdb" -D /srv/postgres/new -U postgres -E UTF8 --locale=C.UTF-8 --no-instructions
	cat >"$var/postgres/new/pg_hba.conf" <<-'END'
		local all postgres peer map=superuser
		local lanyard all scram-sha-256
	END
	echo 'superuser root postgres' >"$var/postgres/new/pg_ident.conf"
	mv "$var/postgres/new" "$var/postgres/data"
}

# psql as superuser. The path of the socket's folder may be too long for a socket, so it goes by descriptor 7.
open_database() {
	exec 7<"$var/run/postgres"
	superuser="postgresql:///lanyard?host=/proc/self/fd/7&user=postgres"
	wait_until 60 pg_isready -q -d "${superuser/lanyard/postgres}"
}

make_database() {
	local exists
	exists=$(psql -XAtq -d "${superuser/lanyard/postgres}" -c "SELECT 1 FROM pg_database WHERE datname = 'lanyard'")
	[[ -n $exists ]] || logged psql -Xq -d "${superuser/lanyard/postgres}" -c "CREATE DATABASE lanyard"
	LANYARD_DATABASE_URL=$superuser logged "$root/db/migrate" --passwords "$var/secrets"
}

# ---- processes ----

# define_service NAME: standard input becomes its run file.
define_service() {
	local folder=$var/service/$1
	install -d -m 755 "$folder" "$folder/log"
	install -d -m 750 "$var/log/$1"
	printf '#!/bin/sh\nexec svlogd %s\n' "$var/log/$1" | put "$folder/log/run" 755 root:root
	put "$folder/run" 755 root:root
}

# define_confined NAME UID GID[,GID] COMMAND [NAME=VALUE...]
define_confined() {
	local name=$1 uid=$2 gids=$3 command=$4
	shift 4
	# shellcheck disable=SC2016 # the run file expands it
	{
		printf '#!/bin/sh\n# Written by scripts/up. The process sees %s as /srv.\n' "$var"
		printf 'exec 2>&1\nulimit -n $(ulimit -Hn)\nexec env -i'
		printf " \\\\\n\t'%s'" PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
		printf ' \\\n\t%s %s %s %s %s\n' "$root/scripts/confine" "$var" "$uid" "$gids" "$command"
	} | define_service "$name"
}

define_postgres() {
	define_confined postgres "$(id -u postgres)" "$(id -g postgres)" \
		"$pg_bin/postgres -D /srv/postgres/data -k /srv/run/postgres -h '' -c max_connections=200" LANG=C.UTF-8
	install -d "$var/service/postgres/control"
	# SIGINT: end sessions and stop. SIGTERM would wait for the sessions to end by themselves.
	# shellcheck disable=SC2016 # the script expands it
	printf '#!/bin/sh\nexec kill -INT "$(cat supervise/pid)"\n' | put "$var/service/postgres/control/t" 755 root:root
}

# define_lanyard SERVICE [NAME=VALUE...]
define_lanyard() {
	local name=$1 uid gids=$fleet_gid
	uid=$(uid_of "$name")
	[[ $name != gateway && $name != dataplane ]] || gids+=,$doors_gid
	shift
	define_confined "$name" "$uid" "$gids" "/srv/bin/lanyard-$name" \
		"LANYARD_DATABASE_URL=postgresql:///lanyard?host=/srv/run/postgres&user=lanyard_$name&passfile=/srv/secrets/$name.pgpass" \
		"LANYARD_FLEET_KEY_FILE=/srv/secrets/fleet.key" \
		"LANYARD_OPS_LISTEN=127.0.0.1:$(ops_port "$name")" "$@"
}

define_services() {
	local -a tls=(LANYARD_TLS_CERT=/srv/tls/server.crt LANYARD_TLS_KEY=/srv/secrets/server.key)
	define_lanyard auth LANYARD_AUTH_KEY_FILE=/srv/secrets/auth/key \
		LANYARD_BOOTSTRAP_FILE=/srv/secrets/auth/bootstrap \
		LANYARD_PROVIDER_CA_FILE=/srv/tls/ca.crt LANYARD_PROVIDER_PRIVATE=1
	define_lanyard provision LANYARD_PROVISION_KEY_FILE=/srv/secrets/provision/key \
		"LANYARD_DATAPLANE_URLS=wss://127.0.0.1:$LANYARD_DATAPLANE_PORT/l2"
	define_lanyard rendezvous
	define_lanyard dns LANYARD_DNS_SOCKET=/srv/run/dns/socket LANYARD_DNS_KEY_FILE=/srv/secrets/dns.key \
		LANYARD_DNS_OPEN=true "LANYARD_DNS_TUNNEL_URLS=wss://127.0.0.1:$LANYARD_DATAPLANE_PORT/tunnel"
	define_lanyard gateway "LANYARD_LISTEN=127.0.0.1:$LANYARD_GATEWAY_PORT" "${tls[@]}"
	define_lanyard dataplane "LANYARD_LISTEN=127.0.0.1:$LANYARD_DATAPLANE_PORT" "${tls[@]}" \
		"LANYARD_NYMEA_PAIR_WS=127.0.0.1:$LANYARD_NYMEA_PAIR_PORT" \
		"LANYARD_NYMEA_PAIR_TCP=127.0.0.1:$((LANYARD_NYMEA_PAIR_PORT + 1))" \
		"LANYARD_NYMEA_TUNNEL_WS=127.0.0.1:$LANYARD_NYMEA_TUNNEL_PORT" \
		"LANYARD_NYMEA_TUNNEL_TCP=127.0.0.1:$((LANYARD_NYMEA_TUNNEL_PORT + 1))" \
		"LANYARD_TUNNEL_LISTEN=127.0.0.1:$LANYARD_TUNNEL_PORT" \
		"LANYARD_TUNNEL_HTTP_LISTEN=127.0.0.1:$LANYARD_TUNNEL_HTTP_PORT" \
		LANYARD_TUNNEL_VPN_NAMES=localhost LANYARD_TUNNEL_API_NAMES=api.localhost,api.box.lanyard.test \
		"LANYARD_TUNNEL_API=127.0.0.1:$LANYARD_GATEWAY_PORT"
}

define_powerdns() {
	sed -e "s|^local-address=.*|local-address=127.0.0.1|; s|^local-port=.*|local-port=$LANYARD_DNS_PORT|" \
		-e 's|path=.*|path=/srv/run/dns/socket|; s|^socket-dir=.*|socket-dir=/srv/run/pdns|' \
		"$root/packaging/etc/pdns.conf" | put "$var/run/pdns.conf" 644 root:root
	define_confined pdns "$pdns_uid" "$fleet_gid" \
		"/usr/sbin/pdns_server --config-dir=/srv/run --guardian=no --daemon=no --disable-syslog --write-pid=no"
}

# The binaries that run are copies, so that compiling never disturbs a running fleet.
install_binaries() {
	local name
	for name in lanyard "${services[@]/#/lanyard-}"; do
		put "$var/bin/$name" 755 root:root <"$build/bin/$name"
	done
}

start_supervisor() {
	local folder
	supervisor_pid >/dev/null && return
	for folder in "$var"/service/*/; do
		touch "$folder/down"
	done
	# shellcheck disable=SC2016 # the inner shell expands them
	env -i PATH="$PATH" setsid --fork sh -c 'echo $$ >"$1/run/supervisor.pid"; exec runsvdir "$1/service"' \
		supervisor "$var" </dev/null >>"$var/log/supervisor.log" 2>&1 7>&- 8>&-
	wait_until 10 supervisor_pid >/dev/null
}

# supervise_up NAME FILE...: from now on it is kept running; one that started before a FILE changed starts again.
supervise_up() {
	local name=$1 file action=up
	shift
	wait_until 15 is_supervised "$name"
	rm -f "$var/service/$name/down"
	for file in "$var/service/$name/run" "$@"; do
		[[ ! $file -nt $var/service/$name/supervise/pid ]] || action=restart
	done
	supervise -w 30 "$action" "$name"
}

is_ready() {
	curl -sf -m 2 -o /dev/null "http://127.0.0.1:$(ops_port "$1")/readyz"
}

await_ready() {
	wait_until 30 is_ready "$1" && return
	logged tail -n 20 "$var/log/$1/current"
	die "$1 is not ready: $(curl -s -m 2 "http://127.0.0.1:$(ops_port "$1")/readyz" || echo 'it does not answer')" \
		"read $var/log/$1/current; scripts/up continues from here"
}

start_fleet() {
	local name
	step "Keys and certificates" "see the log; scripts/down --purge starts from nothing"
	make_folders
	logged "$root/scripts/keys" --uids "$first_uid" "$var"

	step "Database" "read $var/log/postgres/current and the log"
	make_cluster
	define_postgres
	start_supervisor
	supervise_up postgres
	open_database
	make_database

	step "Services" "read $var/log/NAME/current of the service that is named; scripts/up continues from here"
	install_binaries
	define_services
	define_powerdns
	for name in "${services[@]}"; do
		supervise_up "$name" "$var/bin/lanyard-$name" "$var/tls/server.crt"
	done
	supervise_up pdns "$var/run/pdns.conf"
	for name in "${services[@]}"; do
		await_ready "$name"
		note "$name is ready"
	done
}
