-- Make an athlete due because other rules govern now. An evaluation that is under way went by the old ones: counted up
-- inputs turn its commit away.
-- KEYS: meta, due
-- ARGV: athlete ref, clock ms
redis.call('HINCRBY', KEYS[1], 'inputs', 1)
redis.call('ZADD', KEYS[2], 'LT', ARGV[2], ARGV[1])
