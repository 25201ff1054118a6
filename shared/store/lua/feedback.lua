-- Replace one advice record if it is still the one that was read.
-- KEYS: advice, standing, meta, rule counts
-- ARGV: id, the record that was read, the new record, '1' when standing, the count to raise, the count to lower or ''
-- Returns: 1 when written
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call(ARGV[4] == '1' and 'SADD' or 'SREM', KEYS[2], ARGV[1])
redis.call('HINCRBY', KEYS[3], 'commits', 1)
redis.call('HINCRBY', KEYS[4], ARGV[5], 1)
if ARGV[6] ~= '' then redis.call('HINCRBY', KEYS[4], ARGV[6], -1) end
return 1
