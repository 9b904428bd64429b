/*
 * command: the subcommands of lanyard, one file each. A command gets the words after its name and
 * returns the exit status: 0 done, 1 it failed (said on stderr), 2 wrong usage.
 */
#pragma once

#define COMMAND_STATE "/var/lib/lanyard" /* default of --state */

int command_enroll(int argc, char **argv);
int command_up(int argc, char **argv);
int command_connect(int argc, char **argv);
int command_status(int argc, char **argv); /* 3: there is no connection */
int command_pair(int argc, char **argv);
int command_monitor(int argc, char **argv);
int command_expose(int argc, char **argv);    /* expose/command.c */
int command_packages(int argc, char **argv);  /* packages/command.c */
int command_openvpn(int argc, char **argv);   /* openvpn/command.c */
int command_wireguard(int argc, char **argv); /* wireguard/command.c */
int command_instances(int argc, char **argv); /* instances/command.c */
int command_down(int argc, char **argv);
