-- Note that a wake-up for a lane is on its way.
-- KEYS: woken; ARGV: lane ref, lease ms
-- Returns: 1 when none was that is still to be trusted
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0') > wall then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', wall + tonumber(ARGV[2])))
return 1
