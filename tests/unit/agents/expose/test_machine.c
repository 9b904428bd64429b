/* machine: who is a neighbour, whatever addresses this machine has. */
#include "agents/expose/machine.h"

#include "lib/mem.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

static bool is_near(const char *text)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return machine_is_near((struct sockaddr *)&four);
	cr_assert_eq(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return machine_is_near((struct sockaddr *)&six);
}

Test(machine, neighbours_have_private_addresses_or_are_on_the_link)
{
	static const char *const near[] = { "127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255",
		"192.168.1.7", "169.254.9.9", "100.64.0.1", "fd00::1", "::ffff:192.168.1.7",
		"::ffff:127.0.0.1" };
	static const char *const far[] = { "8.8.8.8", "172.32.0.1", "192.169.0.1", "100.128.0.1",
		"203.0.113.7", "2001:db8::1", "::ffff:203.0.113.7" };

	for (size_t i = 0; i < ARRAY_LEN(near); i++)
		cr_expect(is_near(near[i]), "%s", near[i]);
	for (size_t i = 0; i < ARRAY_LEN(far); i++)
		cr_expect_not(is_near(far[i]), "%s", far[i]);
}

Test(machine, an_interface_without_a_mac_address_gives_no_name)
{
	char label[MACHINE_LABEL_SIZE];
	struct fault fault = { 0 };

	cr_expect_eq(machine_label("lo", label, &fault), ERR_NOT_FOUND);
	cr_expect_str_eq(fault.field, "interface");
	cr_expect_eq(machine_label("no-such-one", label, &fault), ERR_NOT_FOUND);
}
