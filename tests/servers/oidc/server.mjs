// A real OAuth2 server (oidc-provider) for the end-to-end tests: client credentials with basic and post authentication,
// opaque tokens, introspection and revocation. Plain http on 127.0.0.1; prints READY once it listens.
//
//   OIDC_CLIENT_SECRET=… oidc-provider PORT TOKEN_TTL_SECONDS
import { Provider } from "oidc-provider";

const [port, ttl] = process.argv.slice(2).map(Number);
const secret = process.env.OIDC_CLIENT_SECRET;
if (!port || !ttl || !secret) {
  console.error("usage: OIDC_CLIENT_SECRET=… oidc-provider PORT TOKEN_TTL_SECONDS");
  process.exit(2);
}

const client = (client_id, token_endpoint_auth_method) => ({
  client_id,
  client_secret: secret,
  token_endpoint_auth_method,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client("workload-basic", "client_secret_basic"), client("workload-post", "client_secret_post")],
  scopes: ["repo.read", "repo.write"],
  ttl: { ClientCredentials: ttl },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, audience) => ({
        audience,
        scope: "repo.read repo.write",
        accessTokenFormat: "opaque",
        accessTokenTTL: ttl,
      }),
    },
  },
});

provider.listen(port, "127.0.0.1", () => console.log("READY"));
