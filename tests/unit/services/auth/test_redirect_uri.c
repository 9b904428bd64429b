/* Where apps may be sent back to: RFC 8252, and statement 16 of contract app-api. */
#include "services/auth/oauth/redirect_uri.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

Test(redirect_uri, only_what_cannot_be_another_app_or_site_is_registered)
{
	static const char *const good[] = { "https://app.example.org/back", "https://app.example.org",
		"https://app.example.org:8443/back?x=1", "http://127.0.0.1:{PORT}/callback",
		"http://[::1]:{PORT}/callback", "http://127.0.0.1:5000/", "http://127.0.0.1/back",
		"org.example.app:/api/callback" };
	static const char *const bad[] = { "", "http://example.org/", "http://localhost:5000/",
		"https://", "https://user@example.org/", "https://example.org/#fragment",
		"http://127.0.0.1:5000@evil.example/", "http://127.0.0.1.evil.example/",
		"javascript:alert(1)", "data:text/html,x", "app:/callback", "org.example.app:",
		"https://example.org/ x", "https://ex\xc3\xa9mple.org/", "//example.org/" };
	char long_uri[REDIRECT_URI_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		cr_expect(redirect_uri_allowed(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_not(redirect_uri_allowed(bad[i]), "%s", bad[i]);
	memset(long_uri, 'x', sizeof(long_uri));
	memcpy(long_uri, "https://", 8);
	long_uri[sizeof(long_uri) - 1] = '\0';
	cr_expect_not(redirect_uri_allowed(long_uri));
}

Test(redirect_uri, a_port_stands_for_any_from_1024_and_for_nothing_else)
{
	static const char registered[] = "http://127.0.0.1:{PORT}/callback";
	static const char *const same[] = { "http://127.0.0.1:1024/callback",
		"http://127.0.0.1:5000/callback", "http://127.0.0.1:65535/callback" };
	static const char *const other[] = { "http://127.0.0.1:1023/callback",
		"http://127.0.0.1:65536/callback", "http://127.0.0.1:05000/callback",
		"http://127.0.0.1:/callback", "http://127.0.0.1:123456/callback",
		"http://127.0.0.1:5000/other", "http://127.0.0.1:5000/callback?x",
		"https://127.0.0.1:5000/callback", "http://127.0.0.1:5000@evil/callback",
		"http://localhost:5000/callback", registered };

	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		cr_expect(redirect_uri_matches(registered, same[i]), "%s", same[i]);
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		cr_expect_not(redirect_uri_matches(registered, other[i]), "%s", other[i]);
	cr_expect(redirect_uri_matches("org.example.app:/x", "org.example.app:/x"));
	cr_expect_not(redirect_uri_matches("org.example.app:/x", "org.example.app:/x/"));
}
