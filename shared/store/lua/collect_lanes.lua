-- Find the lanes of one partition that want a wake-up: something is due, or a claim has lapsed. Each is leased.
-- KEYS: lanes, flying, woken; ARGV: clock ms, lease ms, most
-- Returns: {lane, ...}
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
local found, chosen = {}, {}
local function look(refs)
  for _, ref in ipairs(refs) do
    if not chosen[ref] then
      chosen[ref] = true
      if tonumber(redis.call('HGET', KEYS[3], ref) or '0') <= wall then
        redis.call('HSET', KEYS[3], ref, string.format('%d', wall + tonumber(ARGV[2])))
        found[#found + 1] = ref
      end
    end
  end
end
look(redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3]))
look(redis.call('ZRANGE', KEYS[2], '-inf', string.format('%d', wall), 'BYSCORE', 'LIMIT', 0, ARGV[3]))
return found
