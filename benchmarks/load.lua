-- What one run of wrk sends. Each thread is one connection; its argument is a file that returns
-- a table: method, path, headers and body with {access}, {refresh} and {email} in them; tokens, a
-- list of pairs; chain, whether a reply's refresh token is sent next; patterns to find it by;
-- people (of how many to sign one in after the other), or new (to sign up people nobody knows).

local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local plan, pair
local sent = 0

local function filled(text)
  if not text then return nil end
  return (text:gsub("{(%w+)}", function(name)
    if name == "email" then
      local number = id + sent * plan.threads
      if plan.new then return ("new-%s-%d@example.com"):format(plan.new, number) end
      return ("person-%d@example.com"):format((plan.from + number) % plan.people)
    end
    return pair and pair[name]
  end))
end

function init(arguments)
  plan = dofile(arguments[1])
  pair = plan.tokens[id + 1]
  if plan.chain then
    function response(status, _, body)
      local found = status == 200 and body:match(plan.refresh_pattern)
      if found then pair.refresh = found end
    end
  end
end

local function formatted(is_last)
  local headers = {}
  for name, value in pairs(plan.headers) do headers[name] = filled(value) end
  if is_last then headers["Connection"] = "close" end
  return wrk.format(plan.method, plan.path, headers, filled(plan.body))
end

-- What is the same each time is put together once: wrk shares the processor with the server.
local ready = {}

function request()
  sent = sent + 1
  -- Threads of a server would else keep the connections that they have, however uneven.
  local is_last = (sent + 5 * id) % 40 == 0
  if plan.each then pair = plan.tokens[(id + sent * plan.threads) % #plan.tokens + 1] end
  if is_last or plan.chain or plan.new or plan.people > 0 then return formatted(is_last) end
  local key = pair or plan
  if not ready[key] then ready[key] = formatted(false) end
  return ready[key]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(("RESULT %d %d %d %d %d %d\n"):format(
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
