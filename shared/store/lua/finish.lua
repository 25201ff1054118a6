-- End a claim: write what became of the delivery, free its advice, remember who was told, keep the endpoint's health.
-- KEYS: deliveries, lane, flights, busy, told, lanes, flying, woken, health
-- ARGV: lane ref, delivery id, payload, next due ms or '', health: 'well', 'slow', 'failing' or '', clock ms,
--       then for each item: advice id
--       then '--', then for each item that was told: advice id, Told payload or '' to forget
-- Returns: 1
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('ZREM', KEYS[3], ARGV[2])
if ARGV[4] == '' then redis.call('ZREM', KEYS[2], ARGV[2]) else redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2]) end
local position = 7
while ARGV[position] ~= '--' do
  if redis.call('HGET', KEYS[4], ARGV[position]) == ARGV[2] then redis.call('HDEL', KEYS[4], ARGV[position]) end
  position = position + 1
end
for i = position + 1, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[5], ARGV[i]) else redis.call('HSET', KEYS[5], ARGV[i], ARGV[i + 1]) end
end
if ARGV[5] == 'well' then
  redis.call('DEL', KEYS[9])
elseif ARGV[5] ~= '' then
  redis.call('HSETNX', KEYS[9], 'failing_since', ARGV[6])
  redis.call('HSET', KEYS[9], 'slow', ARGV[5] == 'slow' and '1' or '0')
end
local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if #first > 0 then redis.call('ZADD', KEYS[6], first[2], ARGV[1]) else redis.call('ZREM', KEYS[6], ARGV[1]) end
local lapses = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
if #lapses > 0 then redis.call('ZADD', KEYS[7], lapses[2], ARGV[1]) else redis.call('ZREM', KEYS[7], ARGV[1]) end
redis.call('HDEL', KEYS[8], ARGV[1])
return 1
