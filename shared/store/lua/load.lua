-- Read all that one evaluation needs, as of one instant.
-- KEYS: profile, events, meta, advice, standing, dirty, due, news, then the timeline of each event type that is wanted
-- ARGV: athlete ref, to ms, then for each of these types: from ms
-- Returns: {profile or '', inputs, commits, '1' when dirty, next due ms or '', {event, ...}, {advice, ...},
--           what the last evaluation left or '', {news, ...}}
local FIRST = 9
local counts = redis.call('HMGET', KEYS[3], 'inputs', 'commits', 'evaluated')
local function many(hash, fields, values)
  -- unpack is bounded by the Lua stack
  for i = 1, #fields, 1000 do
    local part = redis.call('HMGET', hash, unpack(fields, i, math.min(i + 999, #fields)))
    for _, value in ipairs(part) do values[#values + 1] = value end
  end
  return values
end
local events = {}
for i = FIRST, #KEYS do
  many(KEYS[2], redis.call('ZRANGE', KEYS[i], ARGV[i - FIRST + 3], ARGV[2], 'BYSCORE'), events)
end
return {
  redis.call('GET', KEYS[1]) or '',
  counts[1] or '0',
  counts[2] or '0',
  redis.call('ZSCORE', KEYS[6], ARGV[1]) and '1' or '0',
  redis.call('ZSCORE', KEYS[7], ARGV[1]) or '',
  events,
  many(KEYS[4], redis.call('SMEMBERS', KEYS[5]), {}),
  counts[3] or '',
  redis.call('LRANGE', KEYS[8], 0, -1),
}
