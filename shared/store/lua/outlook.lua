-- What some partitions still have to do: how much is due, marked, unrouted or in flight, and when the next thing is due.
-- KEYS: for each partition dirty, outboxes, due, lanes, flying; ARGV: clock ms
-- Returns: {count, next due ms or ''}
local count, soonest = 0, math.huge
local function first(key)
  local found = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if found[2] then soonest = math.min(soonest, tonumber(found[2])) end
end
for i = 1, #KEYS, 5 do
  count = count + redis.call('ZCARD', KEYS[i]) + redis.call('ZCARD', KEYS[i + 1]) + redis.call('ZCARD', KEYS[i + 4])
    + redis.call('ZCOUNT', KEYS[i + 2], '-inf', ARGV[1]) + redis.call('ZCOUNT', KEYS[i + 3], '-inf', ARGV[1])
  first(KEYS[i + 2])
  first(KEYS[i + 3])
end
return {count, soonest < math.huge and string.format('%d', soonest) or ''}
