-- WITH lanes
-- Claim the earliest due deliveries of a subscription: none while as many as may be are claimed already (while the
-- endpoint is slow: while one is), and never two at once that speak of the same advice. Claims that have lapsed are given
-- back first: their worker died, and what it said is unknown.
-- KEYS: deliveries, lane, flights, busy, told, lanes, flying, woken, health
-- ARGV: lane ref, clock ms, lease ms, claims from which on nothing is claimed, most deliveries
-- Returns: {{payload, {Told payload or '' for each item, ...}}, ...}
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)

for _, id in ipairs(redis.call('ZRANGE', KEYS[3], '-inf', string.format('%d', wall), 'BYSCORE')) do
  local payload = redis.call('HGET', KEYS[1], id)
  for _, item in ipairs(payload and cjson.decode(payload).items or {}) do
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
local ids = {}
if redis.call('ZCARD', KEYS[3]) < limit then
  ids = redis.call('ZRANGE', KEYS[2], '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, math.max(50, most))
end
local lapse = string.format('%d', wall + tonumber(ARGV[3]))
local claimed, taken, flights, busy, spoken = {}, {}, {}, {}, {}

local function claim(id, payload)
  local advice = {}
  -- Within a JSON string a quotation mark has a backslash before it: this is found in items only, and for a tenth of
  -- what decoding takes.
  for name in string.gmatch(payload or '', '"advice_id":"([^"]+)"') do
    if spoken[name] then return end
    advice[#advice + 1] = name
  end
  for _, holder in ipairs(each('HMGET', KEYS[4], advice)) do
    if holder then return end
  end
  local told = each('HMGET', KEYS[5], advice)
  for i, name in ipairs(advice) do
    spoken[name] = true
    told[i] = told[i] or ''
    busy[#busy + 1], busy[#busy + 2] = name, id
  end
  taken[#taken + 1] = id
  flights[#flights + 1], flights[#flights + 2] = lapse, id
  claimed[#claimed + 1] = {payload, told}
end

for start = 1, #ids, most do
  local some = {unpack(ids, start, math.min(start + most - 1, #ids))}
  for i, payload in ipairs(redis.call('HMGET', KEYS[1], unpack(some))) do
    if #claimed < most then claim(some[i], payload) end
  end
  if #claimed == most then break end
end
each('HSET', KEYS[4], busy)
each('ZREM', KEYS[2], taken)
each('ZADD', KEYS[3], flights)
index(ARGV[1], KEYS[2], KEYS[3], KEYS[6], KEYS[7], KEYS[8])
return claimed
