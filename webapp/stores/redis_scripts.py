"""What has to happen in one piece in Redis: scripts that touch one key each.

Moments are microseconds since 1970 in digits, and stay strings: Lua's numbers would round them
when they are written. The empty string is none. `by` is the transaction that asks: a script that
runs twice in it, because an answer was lost or the transaction has to run again, does its work
once and answers alike.
"""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Script:
    """A script in Lua that touches one key, so that a cluster knows where to run it."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


# The session and Redis's own time, in one round trip.
READ = Script("return {redis.call('TIME'), redis.call('HGETALL', KEYS[1])}")

# expires at (ms), then fields and values
PUT = Script("""
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
""")

# generation and parent as they were read, then as they shall be; by; expires at (ms);
# then fields and values
ADVANCE = Script("""
local is = redis.call('HMGET', KEYS[1], 'ended_at', 'generation', 'parent', 'moved_by')
if is[1] ~= '' then return 0 end
if is[2] == ARGV[3] and is[3] == ARGV[4] and is[4] == ARGV[5] then return 1 end
if is[2] ~= ARGV[1] or is[3] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'moved_by', ARGV[5], unpack(ARGV, 7))
redis.call('PEXPIREAT', KEYS[1], ARGV[6])
return 1
""")

# whose it has to be (or empty), reason, by, for how long it is kept from now on (ms)
# -> whether this ended it, and when it ended; nothing when there is no such session
END = Script("""
local is = redis.call('HMGET', KEYS[1], 'user_id', 'ended_at', 'ended_by')
if not is[1] or (ARGV[1] ~= '' and ARGV[1] ~= is[1]) then return {} end
if is[2] ~= '' then return {is[3] == ARGV[3] and 1 or 0, is[2]} end
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
redis.call('HSET', KEYS[1], 'ended_at', now, 'changed_at', now,
           'end_reason', ARGV[2], 'ended_by', ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return {1, now}
""")

# a field and its value, for a session that goes on
NOTE = Script("""
if redis.call('HGET', KEYS[1], 'ended_at') ~= '' then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
""")

# -> the moment that a living session is said to have changed at; nothing when it has ended
CHANGE = Script("""
if redis.call('HGET', KEYS[1], 'ended_at') ~= '' then return '' end
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
redis.call('HSET', KEYS[1], 'changed_at', now)
return now
""")

# whose it has to be, the epoch that it has to belong to, and the one that it is taken into
KEEP = Script("""
local is = redis.call('HMGET', KEYS[1], 'user_id', 'ended_at', 'epoch')
if is[1] ~= ARGV[1] or is[2] ~= '' or tonumber(is[3] or 0) < tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[3])
return 1
""")

# expires at (ms); fields and values of a rotation (7 of them), of an end (3), and those of which
# the greater counts (2); then all of them
# -> whether anything of it was new
MERGE = Script("""
local key = KEYS[1]
local is = redis.call('HMGET', key, 'user_id', 'ended_at', 'generation')
if not is[1] then
  redis.call('HSET', key, unpack(ARGV, 26))
  redis.call('PEXPIREAT', key, ARGV[1])
  return 1
end
if is[2] ~= '' then return 0 end
local news = 0
if tonumber(is[3]) < tonumber(ARGV[3]) then
  redis.call('HSET', key, unpack(ARGV, 2, 15))
  redis.call('PEXPIREAT', key, ARGV[1])
  news = 1
end
for i = 22, 24, 2 do
  if tonumber(redis.call('HGET', key, ARGV[i]) or 0) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', key, ARGV[i], ARGV[i + 1])
  end
end
if ARGV[17] ~= '' then
  redis.call('HSET', key, unpack(ARGV, 16, 21))
  news = 1
end
return news
""")

# for how long it is told (microseconds), then moments and session ids
TELL = Script("""
redis.call('ZADD', KEYS[1], unpack(ARGV, 2))
local time = redis.call('TIME')
local before = time[1] * 1000000 + time[2] - ARGV[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', before))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ARGV[1] / 1000))
""")
