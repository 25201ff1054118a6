-- WITH waiting
-- Replace an athlete's profile if it is still the one that was read, and mark the athlete for evaluation.
-- KEYS: profile, meta, dirty, waiting, turns, news
-- ARGV: athlete ref, the profile that was read ('' for none), the new profile
-- Returns: 1 when written else 0
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('HINCRBY', KEYS[2], 'inputs', 1)
redis.call('DEL', KEYS[6])
redis.call('RPUSH', KEYS[6], '*')
mark(KEYS[3], KEYS[4], KEYS[5], ARGV[1], wall_ms())
return 1
