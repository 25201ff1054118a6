-- Put down what a queue's workers are asked for, and see whether one of them is up to take it.
-- KEYS: calls, on call, expected, called, up
-- ARGV: how many one worker takes at once, of how many it takes its share only, ms within which a busy worker is waited
--       for, ms for which a message that is to wake one is trusted, what is asked for, ...
-- Returns: 1 when a worker is to be woken by a message, else 0.
local ASKED = 5
local workers = math.max(1, redis.call('ZCARD', KEYS[5]))
local share = math.max(1, math.min(tonumber(ARGV[1]), math.floor(tonumber(ARGV[2]) / workers)))
local patience = tonumber(ARGV[3])
local wanted = 1
if #ARGV >= ASKED then
  wanted = math.ceil((#ARGV - ASKED + 1) / share)
  redis.call('RPUSH', KEYS[1], unpack(ARGV, ASKED))
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- The list serves first who has waited longest, who is taken off first here: who is left is free.
while wanted > 0 do
  local free = redis.call('ZPOPMIN', KEYS[2])
  if #free == 0 then break end
  if tonumber(free[2]) >= now then  -- else it went without a word
    wanted = wanted - 1
    if patience > 0 then redis.call('SET', KEYS[3], '1', 'PX', patience) end
  end
end
if wanted == 0 or (redis.call('EXISTS', KEYS[3]) == 1 and redis.call('LLEN', KEYS[1]) <= share) then return 0 end
return redis.call('SET', KEYS[4], '1', 'NX', 'PX', ARGV[4]) and 1 or 0
