// A certified OpenID provider (npm oidc-provider) with one client and anybody's accounts.
//
// Settings come from the environment: ISSUER, PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT_URIS (JSON),
// ID_TOKEN_ALG, AUTH_METHOD. POST /control takes {"rotate": true} for new keys, or {"path": "/token",
// "how": "hang" | "error" | "garbage" | "answer"}. It ends when its standard input does.

import {generateKeyPairSync, randomUUID} from 'node:crypto';
import {createServer} from 'node:http';

import Provider from 'oidc-provider';
import {createMemoryAdapter} from 'oidc-provider/lib/adapters/memory_adapter.js';

const {ISSUER, PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT_URIS, ID_TOKEN_ALG, AUTH_METHOD} = process.env;

const KINDS = [
  ['RS256', 'rsa', {modulusLength: 2048}],
  ['ES256', 'ec', {namedCurve: 'P-256'}],
  ['EdDSA', 'ed25519', {}],
];
// Sessions and codes; outside of a provider, so that they outlive its keys.
const adapter = createMemoryAdapter();
const cookieKeys = [randomUUID()];
const moods = new Map();
let provider = makeProvider();

function makeKeys() {
  return KINDS.map(([alg, kind, options]) => ({
    ...generateKeyPairSync(kind, options).privateKey.export({format: 'jwk'}),
    alg, kid: `${alg}-${randomUUID()}`, use: 'sig',
  }));
}

// What a login name says: `unverified:ada@example.org`, `none:ada`, or an address, which is verified.
function claimsOf(login) {
  const [, kind, rest] = login.match(/^(?:(unverified|none):)?(.*)$/s);
  const claims = {sub: login, name: rest.split('@')[0]};
  if (kind === 'none') return claims;
  return {...claims, email: rest, email_verified: kind !== 'unverified'};
}

function makeProvider() {
  const made = new Provider(ISSUER, {
    adapter,
    claims: {openid: ['sub'], email: ['email', 'email_verified'], profile: ['name']},
    clients: [{
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      redirect_uris: JSON.parse(REDIRECT_URIS),
      id_token_signed_response_alg: ID_TOKEN_ALG,
      token_endpoint_auth_method: AUTH_METHOD,
    }],
    // The email stands in the id token, and not in userinfo alone.
    conformIdTokenClaims: false,
    cookies: {keys: cookieKeys},
    enabledJWA: {idTokenSigningAlgValues: KINDS.map(([alg]) => alg)},
    features: {devInteractions: {enabled: true}},
    findAccount: (_, id) => ({accountId: id, claims: () => claimsOf(id)}),
    jwks: {keys: makeKeys()},
    pkce: {required: () => true},
    ttl: {Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600, AccessToken: 3600},
  });
  made.on('server_error', (_, error) => console.error(error));
  return made;
}

async function control(request, response) {
  let body = '';
  for await (const chunk of request) body += chunk;
  const {rotate, path, how} = JSON.parse(body);
  if (rotate) provider = makeProvider();
  if (path) moods.set(path, how);
  response.writeHead(204).end();
}

const server = createServer((request, response) => {
  const {pathname} = new URL(request.url, ISSUER);
  if (pathname === '/control') return control(request, response);
  switch (moods.get(pathname)) {
    case 'hang': return undefined;
    case 'error': return response.writeHead(500).end('broken');
    case 'garbage': return response.writeHead(200, {'Content-Type': 'text/html'}).end('<p>Hello.');
    default: return provider.callback()(request, response);
  }
});

server.listen(Number(PORT), '127.0.0.1');
process.stdin.on('end', () => process.exit()).resume();
