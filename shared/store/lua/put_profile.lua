-- Replace an athlete's profile if it is still the one that was read, and mark the athlete for evaluation.
-- KEYS: profile, meta, dirty, news
-- ARGV: athlete ref, lease ms, the profile that was read ('' for none), the new profile
-- Returns: {1 when written else 0, 1 when the athlete was not waiting before}
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[3] then return {0, 0} end
redis.call('SET', KEYS[1], ARGV[4])
redis.call('HINCRBY', KEYS[2], 'inputs', 1)
redis.call('DEL', KEYS[4])
redis.call('RPUSH', KEYS[4], '*')
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
return {1, redis.call('ZADD', KEYS[3], 'NX', string.format('%d', wall + tonumber(ARGV[2])), ARGV[1])}
