-- Read all that one evaluation needs, as of one instant.
-- KEYS: profile, events, meta, advice, standing, dirty, due, news, digest, then the timeline of each event type that is wanted
-- ARGV: athlete ref, to ms, the digest that would do or '', the earliest ms at which it may end, of how many of these
--       types, the first, it stands for what lies before its end, then for each of these types: from ms
-- Returns: {profile or '', inputs, commits, '1' when dirty, next due ms or '', '[event, ...]', '[advice, ...]',
--           what the last evaluation left or '', {news, ...}, digest or '', its end in ms or ''}
local FIRST = 10
local counts = redis.call('HMGET', KEYS[3], 'inputs', 'commits', 'evaluated', 'digest', 'digest_until')
local from, digest = 0, ''
if ARGV[3] ~= '' and counts[4] == ARGV[3] and tonumber(counts[5]) >= tonumber(ARGV[4]) then
  digest = redis.call('GET', KEYS[9]) or ''
  if digest ~= '' then from = tonumber(counts[5]) end
end
-- One text is answered and read quicker than many.
local function listed(hash, fields)
  local values, count = {}, 0
  -- unpack is bounded by the Lua stack
  for i = 1, #fields, 1000 do
    for _, value in ipairs(redis.call('HMGET', hash, unpack(fields, i, math.min(i + 999, #fields)))) do
      if value then
        count = count + 1
        values[count] = value
      end
    end
  end
  return '[' .. table.concat(values, ',') .. ']'
end
local events, count = {}, 0
local digested = tonumber(ARGV[5])
for i = FIRST, #KEYS do
  local since = tonumber(ARGV[i - FIRST + 6])
  if i < FIRST + digested then since = math.max(from, since) end
  for _, key in ipairs(redis.call('ZRANGE', KEYS[i], since, ARGV[2], 'BYSCORE')) do
    count = count + 1
    events[count] = key
  end
end
return {
  redis.call('GET', KEYS[1]) or '',
  counts[1] or '0',
  counts[2] or '0',
  redis.call('ZSCORE', KEYS[6], ARGV[1]) and '1' or '0',
  redis.call('ZSCORE', KEYS[7], ARGV[1]) or '',
  listed(KEYS[2], events),
  listed(KEYS[4], redis.call('SMEMBERS', KEYS[5])),
  counts[3] or '',
  redis.call('LRANGE', KEYS[8], 0, -1),
  digest,
  digest ~= '' and counts[5] or '',
}
