// An identity provider for the tests: oidc-provider with one client, and people who are whom they say they are.
// usage: node provider.mjs PORT CERTIFICATE KEY REDIRECT_URI; the people are JSON on the standard input.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import Provider from "oidc-provider";

const [port, cert, key, redirectUri] = process.argv.slice(2);
const people = JSON.parse(readFileSync(0, "utf8"));
const issuer = `https://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: "lanyard", client_secret: "a secret: with = and +", redirect_uris: [redirectUri],
    grant_types: ["authorization_code"], response_types: ["code"], id_token_signed_response_alg: process.env.ALG || "RS256",
  }],
  pkce: { required: () => true },
  conformIdTokenClaims: false, // all claims in the ID token
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email"] },
  findAccount: (ctx, id) => people[id] && { accountId: id, claims: async () => ({ sub: id, ...people[id] }) },
  cookies: { keys: ["for tests"] },
  features: { devInteractions: { enabled: true } },
});
const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, provider.callback());
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
