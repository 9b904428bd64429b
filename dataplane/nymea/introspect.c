/*
 * introspect: the descriptions of methods, notifications and types, and what of them is in which
 * API. Their texts are what clients compare, so their mistakes are kept.
 */
#include "dataplane/nymea/introspect.h"

#include "lib/mem.h"

#include <stdbool.h>
#include <string.h>

/* clang-format off */
#define AUTHENTICATE \
	"\"Authentication.Authenticate\":{\"description\":\"Authenticate this connection. The " \
	"returned AuthenticationError informs about the result. If the authentication was not " \
	"successfull, the server will close the connection immediatly after sending the error " \
	"response. The given id should be a unique id the other tunnel client can understand. " \
	"Once the authentication was successfull, you can wait for the " \
	"RemoteProxy.TunnelEstablished notification. If you send any data before getting this " \
	"notification, the server will close the connection. If the tunnel client does not show " \
	"up within 10 seconds, the server will close the " \
	"connection.\",\"params\":{\"name\":\"String\",\"o:nonce\":\"String\",\"token\":\"String" \
	"\",\"uuid\":\"String\"},\"returns\":{\"authenticationError\":\"$ref:AuthenticationError" \
	"\"}}"

#define HELLO \
	"\"RemoteProxy.Hello\":{\"description\":\"Once connected to this server, a client can " \
	"get information about the server by saying Hello. The response informs the client about " \
	"this proxy server.\",\"params\":{},\"returns\":{\"apiVersion\":\"String\",\"name\":\"Str" \
	"ing\",\"server\":\"String\",\"version\":\"String\"}}"

#define INTROSPECT \
	"\"RemoteProxy.Introspect\":{\"description\":\"Introspect this " \
	"API.\",\"params\":{},\"returns\":{\"methods\":\"Object\",\"notifications\":\"Object\",\"" \
	"types\":\"Object\"}}"

#define DISCONNECT_CLIENT \
	"\"TunnelProxy.DisconnectClient\":{\"description\":\"A registered server can ask the " \
	"remote proxy connection to disconnect a client for whatever " \
	"reason.\",\"params\":{\"socketAddress\":\"UInt\"},\"returns\":{\"tunnelProxyError\":\"$r" \
	"ef:TunnelProxyError\"}}"

#define PING \
	"\"TunnelProxy.Ping\":{\"description\":\"In order to keep a connection alive when no " \
	"client is connected, this Ping method can be used. The sent timestamp will be returned " \
	"as sent in the response for speed measuements on the client " \
	"side.\",\"params\":{\"timestamp\":\"UInt\"},\"returns\":{\"timestamp\":\"UInt\"}}"

#define REGISTER_CLIENT \
	"\"TunnelProxy.RegisterClient\":{\"description\":\"Register a new TunnelProxy client on " \
	"TunnelProxy server with the given serverUuid. On success, the remote connection has " \
	"been accepted and any further data will come from the connected " \
	"server.\",\"params\":{\"clientName\":\"String\",\"clientUuid\":\"Uuid\",\"serverUuid\":" \
	"\"Uuid\"},\"returns\":{\"tunnelProxyError\":\"$ref:TunnelProxyError\"}}"

#define REGISTER_SERVER \
	"\"TunnelProxy.RegisterServer\":{\"description\":\"Register a new TunnelProxy server on " \
	"this instance. Multiple TunnelProxy clients can be connected to the registered server " \
	"on success.\",\"params\":{\"serverName\":\"String\",\"serverUuid\":\"Uuid\"},\"returns\"" \
	":{\"slipEnabled\":\"Bool\",\"tunnelProxyError\":\"$ref:TunnelProxyError\"}}"

#define TUNNEL_ESTABLISHED \
	"\"RemoteProxy.TunnelEstablished\":{\"description\":\"Emitted whenever the tunnel has " \
	"been established successfully. This is the last message from the remote proxy server! " \
	"Any following data will be from the other tunnel client until the connection will be " \
	"closed. The parameter contain some information about the other tunnel " \
	"client.\",\"params\":{\"name\":\"String\",\"uuid\":\"String\"}}"

#define CLIENT_CONNECTED \
	"\"TunnelProxy.ClientConnected\":{\"description\":\"Emitted whenever a new client has " \
	"been connected to a registered server. Only tunnel proxy clients registered as server " \
	"will receive this notification. The socket address will be used for " \
	"framing.\",\"params\":{\"clientName\":\"String\",\"clientPeerAddress\":\"String\",\"clie" \
	"ntUuid\":\"String\",\"socketAddress\":\"UInt\"}}"

#define CLIENT_DISCONNECTED \
	"\"TunnelProxy.ClientDisconnected\":{\"description\":\"Emitted whenever a new client has " \
	"been connected to a registered server. Only tunnel proxy clients registered as server " \
	"will receive this notification.\",\"params\":{\"socketAddress\":\"UInt\"}}"

#define AUTHENTICATION_ERROR \
	"\"AuthenticationError\":[\"AuthenticationErrorNoError\",\"AuthenticationErrorUnknown\"," \
	"\"AuthenticationErrorTimeout\",\"AuthenticationErrorAborted\",\"AuthenticationErrorAuthe" \
	"nticationFailed\",\"AuthenticationErrorProxyError\"]"

#define BASIC_TYPE \
	"\"BasicType\":[\"Uuid\",\"String\",\"Int\",\"UInt\",\"Double\",\"Bool\",\"Variant\",\"Ob" \
	"ject\"]"

#define TUNNEL_PROXY_ERROR \
	"\"TunnelProxyError\":[\"TunnelProxyErrorNoError\",\"TunnelProxyErrorInvalidUuid\",\"Tunn" \
	"elProxyErrorInternalServerError\",\"TunnelProxyErrorServerNotFound\",\"TunnelProxyErrorF" \
	"orbiddenCall\",\"TunnelProxyErrorAlreadyRegistered\",\"TunnelProxyErrorNotRegistered\"," \
	"\"TunnelProxyErrorUnknownSocketAddress\"]"
/* clang-format on */

#define REMOTE_PROXY HELLO "," INTROSPECT
#define TUNNEL_PROXY DISCONNECT_CLIENT "," PING "," REGISTER_CLIENT "," REGISTER_SERVER
#define CLIENTS	     CLIENT_CONNECTED "," CLIENT_DISCONNECTED

#define API(methods, notifications, types)                                                         \
	"{\"methods\":{" methods "},\"notifications\":{" notifications "},\"types\":{" types "}}"

static const char pairing[] =
	API(AUTHENTICATE "," REMOTE_PROXY, TUNNEL_ESTABLISHED, AUTHENTICATION_ERROR "," BASIC_TYPE);
static const char pairing_5[] = API(AUTHENTICATE "," REMOTE_PROXY, TUNNEL_ESTABLISHED,
	AUTHENTICATION_ERROR "," BASIC_TYPE "," TUNNEL_PROXY_ERROR);
static const char tunnel_5[] = API(REMOTE_PROXY "," TUNNEL_PROXY, TUNNEL_ESTABLISHED "," CLIENTS,
	AUTHENTICATION_ERROR "," BASIC_TYPE "," TUNNEL_PROXY_ERROR);
static const char tunnel[] = API(REMOTE_PROXY "," TUNNEL_PROXY, TUNNEL_ESTABLISHED "," CLIENTS,
	BASIC_TYPE "," TUNNEL_PROXY_ERROR);

char *introspect_answer(enum introspect_port port, const char *version, int id)
{
	bool is_5 = strcmp(version, "5") == 0 || strcmp(version, "0.5") == 0;
	const char *api;

	if (port == INTROSPECT_PAIRING)
		api = is_5 ? pairing_5 : pairing;
	else
		api = is_5 ? tunnel_5 : tunnel;
	return xasprintf("{\"id\":%d,\"params\":%s,\"status\":\"success\"}\n", id, api);
}
