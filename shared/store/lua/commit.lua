-- Commit one evaluation: advice, outbox and the next due time, if nothing has changed since it was loaded.
-- KEYS: meta, advice, advice index, standing, outbox, dirty, due, outboxes, advice owner, rule counts, traces, news, digest
-- ARGV: athlete ref, inputs, commits, next due ms or '', lease ms, what it leaves to the next,
--       the digest's name or '' to leave it as it is, its end in ms, its text, number of records,
--       number of counts, number of ids that are held to be new, then these; then for each count: its name; then for each record: id, payload, issued ms, '1' when standing;
--       then the number of traces, and for each: its name, payload;
--       then for each outbox entry: payload without its sequence
-- Returns: 1 when committed, 2 when an id is not new, else 0
local counts = redis.call('HMGET', KEYS[1], 'inputs', 'commits')
if (counts[1] or '0') ~= ARGV[2] or (counts[2] or '0') ~= ARGV[3] then return 0 end
local position = 13
for _ = 1, tonumber(ARGV[12]) do
  if redis.call('HEXISTS', KEYS[2], ARGV[position]) == 1 then return 2 end
  position = position + 1
end
local commits = string.format('%d', tonumber(ARGV[3]) + 1)
if ARGV[7] == '' then
  redis.call('HSET', KEYS[1], 'commits', commits, 'evaluated', ARGV[6])
else
  redis.call('HSET', KEYS[1], 'commits', commits, 'evaluated', ARGV[6], 'digest', ARGV[7], 'digest_until', ARGV[8])
  redis.call('SET', KEYS[13], ARGV[9])
end
redis.call('DEL', KEYS[12])
for _ = 1, tonumber(ARGV[11]) do
  redis.call('HINCRBY', KEYS[10], ARGV[position], 1)
  position = position + 1
end
for _ = 1, tonumber(ARGV[10]) do
  local id, payload, issued, standing = ARGV[position], ARGV[position + 1], ARGV[position + 2], ARGV[position + 3]
  redis.call('HSET', KEYS[2], id, payload)
  redis.call('ZADD', KEYS[3], issued, id)
  redis.call(standing == '1' and 'SADD' or 'SREM', KEYS[4], id)
  redis.call('HSET', KEYS[9], id, ARGV[1])
  position = position + 4
end
local traces = tonumber(ARGV[position])
position = position + 1
for _ = 1, traces do
  redis.call('HSET', KEYS[11], ARGV[position], ARGV[position + 1])
  position = position + 2
end
if position <= #ARGV then
  for i = position, #ARGV do
    redis.call('HSET', KEYS[5], redis.call('HINCRBY', KEYS[1], 'outbox', 1), ARGV[i])
  end
  local time = redis.call('TIME')
  local wall = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZADD', KEYS[8], 'NX', string.format('%d', wall + tonumber(ARGV[5])), ARGV[1])
end
redis.call('ZREM', KEYS[6], ARGV[1])
if ARGV[4] == '' then redis.call('ZREM', KEYS[7], ARGV[1]) else redis.call('ZADD', KEYS[7], ARGV[4], ARGV[1]) end
return 1
