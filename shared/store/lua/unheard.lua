-- See whether a message is to wake a worker: when something has been asked for a while, and no message is under way.
-- KEYS: calls, called
-- ARGV: ms within which a worker that is up is waited for, ms for which a message is trusted
-- Returns: 1 when it is, else 0.
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if #first == 0 then return 0 end
local patience = tonumber(ARGV[1])
if patience > 0 then
  local time = redis.call('TIME')
  if time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(first[2]) < patience then return 0 end
end
return redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2]) and 1 or 0
