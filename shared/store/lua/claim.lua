-- Claim the earliest due delivery of a subscription, within its limit of claims at once, and never two at once that
-- speak of the same advice. Claims that have lapsed are given back first: their worker died, and what it said is unknown.
-- KEYS: deliveries, lane, flights, busy, told, lanes, flying, woken
-- ARGV: lane ref, clock ms, lease ms, most claims at once
-- Returns: the delivery's payload, or '' when there is nothing to claim
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
local function items_of(id)
  local payload = redis.call('HGET', KEYS[1], id)
  return payload, payload and cjson.decode(payload).items or {}
end
local function index()
  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if #first > 0 then redis.call('ZADD', KEYS[6], first[2], ARGV[1]) else redis.call('ZREM', KEYS[6], ARGV[1]) end
  local lapses = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
  if #lapses > 0 then redis.call('ZADD', KEYS[7], lapses[2], ARGV[1]) else redis.call('ZREM', KEYS[7], ARGV[1]) end
  redis.call('HDEL', KEYS[8], ARGV[1])
end

for _, id in ipairs(redis.call('ZRANGE', KEYS[3], '-inf', string.format('%d', wall), 'BYSCORE')) do
  local payload, items = items_of(id)
  for _, item in ipairs(items) do
    redis.call('HDEL', KEYS[4], item.advice_id)
    local told = redis.call('HGET', KEYS[5], item.advice_id)
    if not told and item.type ~= 'advice.withdrawn' then
      redis.call('HSET', KEYS[5], item.advice_id, cjson.encode({revision = item.revision, certain = false}))
    end
  end
  redis.call('ZREM', KEYS[3], id)
  if payload then redis.call('ZADD', KEYS[2], ARGV[2], id) end
end

local claimed = ''
if redis.call('ZCARD', KEYS[3]) < tonumber(ARGV[4]) then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, 50)) do
    local payload, items = items_of(id)
    local free = true
    for _, item in ipairs(items) do free = free and not redis.call('HGET', KEYS[4], item.advice_id) end
    if free then
      for _, item in ipairs(items) do redis.call('HSET', KEYS[4], item.advice_id, id) end
      redis.call('ZREM', KEYS[2], id)
      redis.call('ZADD', KEYS[3], string.format('%d', wall + tonumber(ARGV[3])), id)
      claimed = payload
      break
    end
  end
end
index()
return claimed
