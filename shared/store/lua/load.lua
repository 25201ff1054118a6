-- Read all that one evaluation needs, as of one instant.
-- KEYS: profile, events, timeline, meta, advice, standing, dirty, due
-- ARGV: athlete ref, from ms, to ms
-- Returns: {profile or '', inputs, commits, '1' when dirty, next due ms or '', {event, ...}, {advice, ...}}
local counts = redis.call('HMGET', KEYS[4], 'inputs', 'commits')
local names = redis.call('ZRANGE', KEYS[3], ARGV[2], ARGV[3], 'BYSCORE')
local function many(hash, fields)
  local values = {}
  -- unpack is bounded by the Lua stack
  for i = 1, #fields, 1000 do
    local part = redis.call('HMGET', hash, unpack(fields, i, math.min(i + 999, #fields)))
    for _, value in ipairs(part) do values[#values + 1] = value end
  end
  return values
end
return {
  redis.call('GET', KEYS[1]) or '',
  counts[1] or '0',
  counts[2] or '0',
  redis.call('ZSCORE', KEYS[7], ARGV[1]) and '1' or '0',
  redis.call('ZSCORE', KEYS[8], ARGV[1]) or '',
  many(KEYS[2], names),
  many(KEYS[5], redis.call('SMEMBERS', KEYS[6])),
}
