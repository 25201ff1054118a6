-- WITH lanes
-- End claims of a lane: write what became of each delivery, free its advice, remember who was told, keep the endpoint's
-- health.
-- KEYS: deliveries, lane, flights, busy, told, lanes, flying, woken, health
-- ARGV: lane ref, then for each claim: delivery id, payload, next due ms or '', health: 'well', 'slow', 'failing' or '',
--       clock ms, how many items, how many were told, then for each item: advice id,
--       and for each that was told: advice id, Told payload or '' to forget
-- Returns: when the next delivery of the lane is due in ms, or ''
local payloads, over, again, ended, told, well = {}, {}, {}, {}, {}, false
local position = 2
while position <= #ARGV do
  local id, due, health, at = ARGV[position], ARGV[position + 2], ARGV[position + 3], ARGV[position + 4]
  local items, known = tonumber(ARGV[position + 5]), tonumber(ARGV[position + 6])
  payloads[#payloads + 1], payloads[#payloads + 2] = id, ARGV[position + 1]
  ended[#ended + 1] = id
  if due == '' then over[#over + 1] = id else again[#again + 1], again[#again + 2] = due, id end
  if health == 'well' then
    well = true
  elseif health ~= '' then
    if well then redis.call('DEL', KEYS[9]) end
    well = false
    redis.call('HSETNX', KEYS[9], 'failing_since', at)
    redis.call('HSET', KEYS[9], 'slow', health == 'slow' and '1' or '0')
  end
  position = position + 7
  for i = position, position + items - 1 do
    if redis.call('HGET', KEYS[4], ARGV[i]) == id then redis.call('HDEL', KEYS[4], ARGV[i]) end
  end
  position = position + items
  for i = position, position + 2 * known - 1, 2 do
    if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[5], ARGV[i]) else told[#told + 1], told[#told + 2] = ARGV[i], ARGV[i + 1] end
  end
  position = position + 2 * known
end
each('HSET', KEYS[1], payloads)
each('ZREM', KEYS[3], ended)
each('ZREM', KEYS[2], over)
each('ZADD', KEYS[2], again)
each('HSET', KEYS[5], told)
if well then redis.call('DEL', KEYS[9]) end
return index(ARGV[1], KEYS[2], KEYS[3], KEYS[6], KEYS[7], KEYS[8]) or ''
