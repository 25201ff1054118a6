-- Claim the earliest due deliveries of a subscription: none while as many as may be are claimed already (while the
-- endpoint is slow: while one is), and never two at once that speak of the same advice. Claims that have lapsed are given
-- back first: their worker died, and what it said is unknown.
-- KEYS: deliveries, lane, flights, busy, told, lanes, flying, woken, health
-- ARGV: lane ref, clock ms, lease ms, claims from which on nothing is claimed, most deliveries
-- Returns: {{payload, {Told payload or '' for each item, ...}}, ...}
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

local limit, most = tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('HGET', KEYS[9], 'slow') == '1' then limit, most = 1, 1 end
local claimed = {}
if redis.call('ZCARD', KEYS[3]) < limit then
  local lapse = string.format('%d', wall + tonumber(ARGV[3]))
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, 50)) do
    if #claimed == most then break end
    local payload, items = items_of(id)
    local free = true
    for _, item in ipairs(items) do free = free and not redis.call('HGET', KEYS[4], item.advice_id) end
    if free then
      local told = {}
      for i, item in ipairs(items) do
        redis.call('HSET', KEYS[4], item.advice_id, id)
        told[i] = redis.call('HGET', KEYS[5], item.advice_id) or ''
      end
      redis.call('ZREM', KEYS[2], id)
      redis.call('ZADD', KEYS[3], lapse, id)
      claimed[#claimed + 1] = {payload, told}
    end
  end
end
index()
return claimed
