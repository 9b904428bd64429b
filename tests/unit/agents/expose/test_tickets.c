/* tickets: what is good once, for how long, and how many there are. */
#include "agents/expose/tickets.h"

#include <criterion/criterion.h>
#include <string.h>

Test(tickets, a_key_is_good_once_and_not_for_ever)
{
	struct tickets tickets = { 0 };
	char first[TICKET_SIZE], second[TICKET_SIZE];

	tickets_make(&tickets, 1000, 500, first);
	tickets_make(&tickets, 1000, 500, second);
	cr_expect_str_neq(first, second);
	cr_expect_eq(strlen(first), TICKET_SIZE - 1);
	cr_expect(tickets_use(&tickets, 1100, first));
	cr_expect_not(tickets_use(&tickets, 1100, first));
	cr_expect_not(tickets_use(&tickets, 1500, second));
}

Test(tickets, a_session_stays_until_its_time_is_over)
{
	struct tickets tickets = { 0 };
	char text[TICKET_SIZE];

	tickets_make(&tickets, 1000, 500, text);
	cr_expect(tickets_has(&tickets, 1001, text));
	cr_expect(tickets_has(&tickets, 1499, text));
	cr_expect_not(tickets_has(&tickets, 1500, text));
}

Test(tickets, what_is_empty_short_or_long_is_none)
{
	struct tickets tickets = { 0 };
	char text[TICKET_SIZE];

	cr_expect_not(tickets_has(&tickets, 1, ""));
	cr_expect_not(tickets_has(&tickets, 1, "00000000000000000000000000000000"));
	tickets_make(&tickets, 1000, 500, text);
	text[5] = '\0';
	cr_expect_not(tickets_has(&tickets, 1001, text));
	cr_expect_not(tickets_has(&tickets, 1001, "0123456789012345678901234567890123456789"));
}

Test(tickets, the_oldest_makes_room)
{
	struct tickets tickets = { 0 };
	char first[TICKET_SIZE], text[TICKET_SIZE];

	tickets_make(&tickets, 1000, 500, first);
	for (int i = 1; i <= TICKETS_MAX; i++)
		tickets_make(&tickets, 1000 + i, 500, text);
	cr_expect_not(tickets_has(&tickets, 1100, first));
	cr_expect(tickets_has(&tickets, 1100, text));
}
