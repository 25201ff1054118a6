-- What one partition still has to do: how much is due, marked, unrouted or in flight, and when the next thing is due.
-- KEYS: dirty, outboxes, due, lanes, flying; ARGV: clock ms
-- Returns: {count, next due ms or ''}
local function first(key)
  local found = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return found[2] and tonumber(found[2]) or math.huge
end
local count = redis.call('ZCARD', KEYS[1]) + redis.call('ZCARD', KEYS[2]) + redis.call('ZCOUNT', KEYS[3], '-inf', ARGV[1])
  + redis.call('ZCOUNT', KEYS[4], '-inf', ARGV[1]) + redis.call('ZCARD', KEYS[5])
local soonest = math.min(first(KEYS[3]), first(KEYS[4]))
return {count, soonest < math.huge and string.format('%d', soonest) or ''}
