// A small service that trusts Latchkey's access tokens, and asks nobody about a request.
// npm ci && npm start, with the settings that ../README.md lists.

import express from 'express';

import { createVerifier, NotKnownYet, Refused } from './tokens.js';

const settings = process.env;
const base = settings.LATCHKEY_URL;

const verify = createVerifier({
  base,
  issuer: settings.LATCHKEY_ISSUER ?? base,
  audience: settings.LATCHKEY_AUDIENCE ?? base,
  algorithm: settings.LATCHKEY_ALGORITHM ?? 'EdDSA',
  feedToken: settings.LATCHKEY_FEED_TOKEN,
  readKeysEvery: Number(settings.READ_KEYS_EVERY ?? 60),
  feedMaxAge: Number(settings.FEED_MAX_AGE ?? 10),
});

const app = express();
app.disable('x-powered-by');

async function signedIn(request, response, next) {
  const [scheme, token] = (request.get('Authorization') ?? '').split(/ +/);
  if (scheme.toLowerCase() !== 'bearer' || !token) throw new Refused();
  request.claims = await verify(token);
  next();
}

// Says who is asking, by what the token says.
app.get('/hello', signedIn, (request, response) => {
  const { sub, email = null, roles } = request.claims;
  response.json({ user: sub, email, roles });
});

// Lets admins in alone.
app.get('/admin', signedIn, (request, response) => {
  if (!request.claims.roles.includes('admin')) return response.status(403).json({ error: 'forbidden' });
  response.json({ user: request.claims.sub });
});

app.use((error, request, response, next) => {
  if (error instanceof Refused) {
    response.set('WWW-Authenticate', 'Bearer error="invalid_token"').status(401);
    return response.json({ error: 'invalid_token' });
  }
  if (error instanceof NotKnownYet) {
    return response.set('Retry-After', '2').status(503).json({ error: 'temporarily_unavailable' });
  }
  next(error);
});

app.listen(Number(settings.PORT ?? 3000), '127.0.0.1');
