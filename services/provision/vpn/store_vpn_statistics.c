/*
 * store_vpn_statistics: the SQL of how much VPN servers of profiles were used; see store_vpn.h.
 * Runs in the thread of the call.
 */
#include "services/provision/vpn/store_vpn.h"

#include "services/provision/store.h"

#define DAYS	   "31" /* before today */
#define TODAY	   "(now() AT TIME ZONE 'UTC')::date"
#define TIME(time) "to_char(" time ", 'YYYY-MM-DD HH24:MI:SS')"

/* Connections of the days, in UTC; `ends` NULL: it is live. */
#define SEEN                                                                                       \
	"seen AS (SELECT id, profile_id, subject, bytes_in + bytes_out AS bytes,"                  \
	" started_at AT TIME ZONE 'UTC' AS begins, ended_at AT TIME ZONE 'UTC' AS ends"            \
	" FROM provision.vpn_connection WHERE tenant_id = $1 AND profile_id <> ''"                 \
	" AND coalesce(ended_at AT TIME ZONE 'UTC' >= " TODAY " - " DAYS ", true))"
/* A connection counts on each day on which it was there, the moment of its end not with it. */
#define USED                                                                                       \
	"used AS (SELECT profile_id, day::date, count(*) AS n, count(DISTINCT subject) AS users"   \
	" FROM seen, generate_series(greatest(begins::date, " TODAY " - " DAYS "),"                \
	" coalesce(greatest(begins, ends - interval '1 microsecond')::date, " TODAY "),"           \
	" interval '1 day') AS day GROUP BY profile_id, day)"
/* From each midnight to the next one that is known, or to the end. */
#define CARRIED                                                                                    \
	"mark AS (SELECT connection_id AS id, day, bytes FROM provision.vpn_midnight"              \
	" WHERE tenant_id = $1 UNION ALL SELECT id, begins::date, 0 FROM seen),"                   \
	"step AS (SELECT profile_id, day, greatest(0, lead(mark.bytes, 1, seen.bytes)"             \
	" OVER (PARTITION BY id ORDER BY day) - mark.bytes) AS bytes"                              \
	" FROM mark JOIN seen USING (id)),"                                                        \
	"carried AS (SELECT profile_id, day, sum(bytes) AS bytes FROM step"                        \
	" GROUP BY profile_id, day)"
/* How many were there after each beginning and end; who goes has gone before another comes. */
#define LEVEL                                                                                      \
	"change AS (SELECT profile_id, greatest(begins, " TODAY " - " DAYS ") AS at, 1 AS by"      \
	" FROM seen UNION ALL SELECT profile_id, ends, -1 FROM seen WHERE ends IS NOT NULL),"      \
	"level AS (SELECT profile_id, at, sum(by) OVER (PARTITION BY profile_id"                   \
	" ORDER BY at, by ROWS UNBOUNDED PRECEDING) AS n FROM change),"                            \
	"peak AS (SELECT DISTINCT ON (profile_id) profile_id, at, n FROM level"                    \
	" ORDER BY profile_id, n DESC, at)"
#define BY_DAY                                                                                     \
	"days AS (SELECT profile_id, sum(coalesce(bytes, 0)) AS bytes,"                            \
	" json_agg(json_build_object('date', day, 'number_of_connections', n,"                     \
	" 'bytes_transferred', coalesce(bytes, 0), 'unique_user_count', users) ORDER BY day)"      \
	" AS list FROM used LEFT JOIN carried USING (profile_id, day) GROUP BY profile_id),"       \
	"people AS (SELECT profile_id, count(DISTINCT subject) AS n FROM seen GROUP BY "           \
	"profile_id)"

err_t store_vpn_statistics(struct call *call, Provision__VpnStatistics *reply)
{
	static const struct db_statement statement = {
		"WITH " SEEN "," USED "," CARRIED "," LEVEL "," BY_DAY
		" SELECT json_build_object('generated_at', " TIME(
			"now() AT TIME ZONE 'UTC'") ", 'profiles', "
						    "coalesce(json_object_agg(profile_id, "
						    "json_build_object("
						    "'days', days.list, 'total_traffic', "
						    "days.bytes,"
						    " 'max_concurrent_connections', peak.n,"
						    " 'max_concurrent_connections_time', " TIME(
							    "peak.at") ", 'unique_user_count', "
								       "people.n) ORDER BY "
								       "profile_id), '{}')) AS json"
								       " FROM days JOIN peak USING "
								       "(profile_id) JOIN people "
								       "USING (profile_id)"
	};
	const char *params[] = { call->tenant };

	return db_one(call, &statement, &reply->base, "statistics", ARRAY_LEN(params), params);
}
