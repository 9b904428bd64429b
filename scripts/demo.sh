# shellcheck shell=bash disable=SC2034,SC2154 # names shared with scripts/up and scripts/api.sh
# The main job, through the public REST API only: a tenant, a network, an enrolment key, and two devices that enrol,
# connect and talk. Each thing is looked for before it is made. Sourced by scripts/up.

api_url=https://127.0.0.1:$LANYARD_GATEWAY_PORT
api_ca=$var/tls/ca.crt

alpha_name=
beta_address=

# The device that the agent's state folder holds the identity of; prints nothing if it can't connect with it.
enrolled_device() {
	local id
	[[ -e $var/agents/$1/device.json ]] || return 0
	id=$(jq -er .device "$var/agents/$1/device.json")
	[[ $(api GET "/v1/tenants/$tenant/devices/$id" | jq -r .state) != approved ]] || echo "$id"
}

# A device whose agent has lost its identity gives its name back.
retire_namesake() {
	local id
	for id in $(api GET "/v1/tenants/$tenant/devices?name=$1" | jq -r '.items[] | select(.state != "retired").id'); do
		api DELETE "/v1/tenants/$tenant/devices/$id" >>"$log"
	done
}

enrol_device() {
	local key=$var/agents/enrolment-key
	[[ -z $(enrolled_device "$1") ]] || return 0
	retire_namesake "$1"
	rm -rf "$var/agents/${1:?}"
	make_enrolment_key "$1" 1 | (umask 077 && cat >"$key")
	logged "$var/bin/lanyard" enroll "$api_url" --key-file "$key" --name "$1" \
		--ca "$var/tls/ca.crt" --state "$var/agents/$1"
	rm "$key"
}

make_namespace() {
	[[ ! -e /run/netns/$1 ]] || return 0
	echo "$1" >>"$var/run/namespaces"
	logged ip netns add "$1"
	logged ip -n "$1" link set lo up
}

start_agent() {
	define_service "agent-$1" <<-END
		#!/bin/sh
		# Written by scripts/up.
		exec 2>&1
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin setpriv --pdeathsig TERM \\
			$var/bin/lanyard up --state $var/agents/$1 --netns $LANYARD_NETNS_PREFIX$1
	END
	supervise_up "agent-$1" "$var/bin/lanyard" "$var/agents/$1/device.json"
}

# member_of DEVICE-NAME: prints its member as JSON.
member_of() {
	api GET "/v1/tenants/$tenant/members?device=$(enrolled_device "$1")&network=$network" | jq -e '.items[0]'
}

is_connected() {
	api GET "/v1/tenants/$tenant/sessions?network=$network" |
		jq -e --arg member "$(member_of "$1" | jq -r .id)" 'any(.items[]; .member == $member)' >/dev/null
}

can_ping() {
	ip netns exec "$LANYARD_NETNS_PREFIX$1" ping -c 1 -W 1 "$2" >>"$log" 2>&1
}

# check_ping FROM TO
check_ping() {
	local member address
	member=$(member_of "$2")
	for address in $(jq -r '.ipv4, .ipv6' <<<"$member"); do
		address=${address%/*}
		wait_until 20 can_ping "$1" "$address" ||
			die "$1 can't reach $2 at $address" "read $var/log/agent-*/current and $var/log/dataplane/current"
		note "$1 reaches $2 at $address"
	done
}

has_address() {
	[[ $(dig +short +time=2 +tries=1 @127.0.0.1 -p "$LANYARD_DNS_PORT" "$1" A) == "$2" ]]
}

play_main_job() {
	local name alpha_address
	step "Tenant demo with network office, by the REST API" "read $var/log/gateway/current and the log"
	make_office
	step "Devices ${agents[*]}, each in a network namespace" "read $var/log/agent-*/current"
	for name in "${agents[@]}"; do
		enrol_device "$name"
		make_namespace "$LANYARD_NETNS_PREFIX$name"
		start_agent "$name"
	done
	for name in "${agents[@]}"; do
		wait_until 60 is_connected "$name" || {
			tail -n 12 "$var/log/agent-$name/current" >>"$log"
			die "$name does not connect" "read $var/log/agent-$name/current"
		}
		note "$name is connected"
	done

	step "Ethernet between them" "read $var/log/dataplane/current"
	check_ping alpha beta
	check_ping beta alpha

	step "Their names in the DNS" "read $var/log/dns/current and $var/log/pdns/current"
	alpha_name=alpha.office.demo.lanyard.test
	alpha_address=$(member_of alpha | jq -r '.ipv4 | sub("/.*"; "")')
	beta_address=$(member_of beta | jq -r '.ipv4 | sub("/.*"; "")')
	wait_until 20 has_address "$alpha_name" "$alpha_address" || die "$alpha_name does not have the address $alpha_address"
	note "$alpha_name is $alpha_address"
}
