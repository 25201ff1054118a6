-- Take routed entries off an athlete's outbox.
-- KEYS: outbox, outboxes; ARGV: athlete ref, sequence, sequence, ...
-- Returns: how many entries are left
redis.call('HDEL', KEYS[1], unpack(ARGV, 2))
local left = redis.call('HLEN', KEYS[1])
if left == 0 then redis.call('ZREM', KEYS[2], ARGV[1]) end
return left
