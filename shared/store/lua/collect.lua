-- Find the athletes of one partition that want a wake-up: those whose time has come, those whose wake-up was lost,
-- and those whose outbox was left unrouted. Each is leased, so that the next tick leaves it alone for a while.
-- KEYS: dirty, due, outboxes
-- ARGV: clock ms, lease ms, most
-- Returns: {{athlete to evaluate, ...}, {athlete to route, ...}}
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ms = string.format('%d', wall + tonumber(ARGV[2]))
local evaluate = {}
for _, ref in ipairs(redis.call('ZRANGE', KEYS[2], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])) do
  redis.call('ZREM', KEYS[2], ref)
  -- One that is dirty already has its wake-up on the way.
  if redis.call('ZADD', KEYS[1], 'NX', until_ms, ref) == 1 then evaluate[#evaluate + 1] = ref end
end
local function lapsed(key, into)
  for _, ref in ipairs(redis.call('ZRANGE', key, '-inf', string.format('%d', wall), 'BYSCORE', 'LIMIT', 0, ARGV[3])) do
    redis.call('ZADD', key, until_ms, ref)
    into[#into + 1] = ref
  end
  return into
end
return {lapsed(KEYS[1], evaluate), lapsed(KEYS[3], {})}
