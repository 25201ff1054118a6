-- Note that a delivery speaks of a piece of advice.
-- KEYS: advice deliveries; ARGV: delivery id
return redis.call('SADD', KEYS[1], ARGV[1])
