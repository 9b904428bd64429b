# shellcheck shell=bash disable=SC2154 # api_url, api_ca, bootstrap and log are those of who sources it
# The REST API for scripts: requests by the first operator to $api_url, whose certificate $api_ca vouches for, with the
# credentials in $bootstrap. What is refused is told in $log. Sourced by scripts/up and by the containers' demo.

tenant=
network=

# api METHOD PATH [JSON]: prints the body of the reply. Any refusal fails the step.
# The key goes to curl by a file descriptor, never by its arguments.
api() {
	local reply status
	reply=$(curl -sS -m 20 -w '\n%{http_code}' --cacert "$api_ca" -X "$1" \
		-K <(printf 'header = "Authorization: Bearer %s"\n' "$(admin_api_key)") \
		-H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" \
		${3:+-H 'Content-Type: application/json' --data-binary "$3"} \
		"$api_url$2" 2>>"$log")
	status=${reply##*$'\n'}
	reply=${reply%$'\n'*}
	if [[ $status != 2* ]]; then
		printf '%s %s: %s\n%s\n' "$1" "$2" "$status" "$reply" >>"$log"
		return 1
	fi
	printf '%s\n' "$reply"
}

admin_api_key() {
	sed -n 's/^LANYARD_ADMIN_API_KEY=//p' "$bootstrap"
}

# find_or_create PATH NAME JSON: prints the id of the thing of this name.
find_or_create() {
	local id
	id=$(api GET "$1?name=$2" | jq -r '.items[0].id // empty')
	[[ -n $id ]] || id=$(api POST "$1" "$3" | jq -er .id)
	echo "$id"
}

# Tenant demo with network office; sets `tenant` and `network`.
make_office() {
	tenant=$(find_or_create /v1/tenants demo '{"name": "demo"}')
	network=$(find_or_create "/v1/tenants/$tenant/networks" office '{"name": "office", "ipv4": "10.77.0.0/24"}')
}

# make_enrolment_key NAME USES: prints its secret, with which so many devices join network office.
make_enrolment_key() {
	api POST "/v1/tenants/$tenant/enrolment-keys" \
		"$(jq -n --arg name "$1 $(date -u +%FT%T.%N)" --arg network "$network" --argjson uses "$2" \
			'{$name, $network, max_uses: $uses, expires_in_s: 600, approve: true}')" |
		jq -er .secret
}
