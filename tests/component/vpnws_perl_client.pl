#!/usr/bin/perl
# A client as perl's users of vpn-ws have it: a frame in each message. Arguments: interface, URL.
use strict;
use warnings;
use AnyEvent;
use AnyEvent::WebSocket::Client;
use MIME::Base64;

my ($name, $url) = @ARGV;
my %headers = $url =~ s{//(.+)\@}{//} ? (Authorization => 'Basic ' . encode_base64($1, '')) : ();
open(my $tap, '+<', '/dev/net/tun') or die "/dev/net/tun: $!";
my $request = pack('a16 S x22', $name, 0x1002);    # IFF_TAP | IFF_NO_PI
ioctl($tap, 0x400454ca, $request) or die "TUNSETIFF: $!";

my $done = AnyEvent->condvar;
my ($connection, $watcher);
AnyEvent::WebSocket::Client->new(http_headers => \%headers)->connect($url)->cb(sub {
	$connection = eval { shift->recv } or die $@;
	$connection->on(each_message => sub { syswrite($tap, $_[1]->body) });
	$connection->on(finish => sub { $done->send });
	$watcher = AnyEvent->io(fh => $tap, poll => 'r', cb => sub {
		sysread($tap, my $frame, 1500) or return;
		$connection->send(AnyEvent::WebSocket::Message->new(body => $frame, opcode => 2));
	});
});
$done->recv;
