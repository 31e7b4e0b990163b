// Access tokens, verified with the published keys, and the feed of the sessions that ended.

import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

// Seconds. A token that is older than this is refused whatever it says, so that what the feed told
// longer ago can be forgotten; at least ACCESS_TOKEN_EXPIRES.
const MAX_TOKEN_AGE = 3600;
const LEEWAY = 10;
const KEYS_MAX_AGE = 300;
const POLL_EVERY = 1;
const TIMEOUT = 5;

// The token is not one to be trusted.
export class Refused extends Error {}

// Whether it is to be trusted cannot be told now: try again.
export class NotKnownYet extends Error {}

export function createVerifier({
  base, issuer, audience, algorithm, feedToken, readKeysEvery, feedMaxAge,
}) {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', base), {
    cacheMaxAge: KEYS_MAX_AGE * 1000,
    // Between two readings: a storm of made-up kids is no reason to read more often.
    cooldownDuration: readKeysEvery * 1000,
    timeoutDuration: TIMEOUT * 1000,
    // Past caches on the way: they may still keep the keys from before a rotation.
    headers: { 'Cache-Control': 'no-cache' },
  });
  const check = followFeed(new URL('/api/v1/auth/revocations', base), feedToken, feedMaxAge);

  return async function verify(token) {
    const claims = await read(token, keys, { issuer, audience, algorithm });
    check(claims.sid, claims.iat);
    return claims;
  };
}

async function read(token, keys, { issuer, audience, algorithm }) {
  try {
    const { payload } = await jwtVerify(token, findByKid(keys), {
      algorithms: [algorithm], // Ours, never the one that the token asks for.
      issuer,
      audience,
      clockTolerance: LEEWAY,
      maxTokenAge: MAX_TOKEN_AGE,
      requiredClaims: ['exp', 'iat', 'sub', 'sid', 'type'],
    });
    // A refresh token is signed with the same key, and is not for showing here.
    if (payload.type !== 'access' || typeof payload.sid !== 'string') throw new Refused();
    return payload;
  } catch (error) {
    if (error instanceof NotKnownYet) throw error;
    throw new Refused();
  }
}

function findByKid(keys) {
  return async (header, token) => {
    // jose would take a token without a kid where there is but one key.
    if (typeof header.kid !== 'string') throw new Refused();
    try {
      return await keys(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) throw new Refused();
      console.warn('the keys could not be read: %s', error.message);
      throw new NotKnownYet();
    }
  };
}

// Follows the feed, and returns what refuses a token of a session that ended or changed since.
function followFeed(url, token, maxAge) {
  const notBefore = new Map(); // By session: [seconds since 1970, when it was heard]
  let cursor = '';
  let readAt = -Infinity;

  async function readOn() {
    const asked = new URL(url);
    if (cursor) asked.searchParams.set('since', cursor);
    const reply = await fetch(asked, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT * 1000),
    });
    if (reply.status === 422) cursor = ''; // After a restored backup, say: begin anew.
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    const { data, next } = await reply.json();
    const heardAt = seconds();
    for (const { sid, not_before: moment } of data) {
      const known = notBefore.get(sid)?.[0] ?? 0;
      notBefore.set(sid, [Math.max(known, Date.parse(moment) / 1000), heardAt]);
    }
    for (const [sid, [, heard]] of notBefore) {
      if (heardAt - heard > MAX_TOKEN_AGE + LEEWAY) notBefore.delete(sid);
    }
    cursor = next;
  }

  async function poll() {
    const startedAt = seconds();
    try {
      await readOn();
      readAt = startedAt;
    } catch (error) {
      console.warn('the feed could not be read: %s', error.message);
    }
    setTimeout(poll, POLL_EVERY * 1000);
  }
  poll();

  return (sid, issuedAt) => {
    if (seconds() - readAt > maxAge) throw new NotKnownYet();
    if (issuedAt < (notBefore.get(sid)?.[0] ?? 0)) throw new Refused();
  };
}

const seconds = () => performance.now() / 1000;
