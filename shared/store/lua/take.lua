-- WITH waiting
-- Take the next athletes of a partition for evaluation, each leased to whoever takes it.
-- KEYS: dirty, waiting, turns
-- ARGV: lease ms, most
-- Returns: {1 when others are left, athlete, ...}
local until_ms = string.format('%d', wall_ms() + tonumber(ARGV[1]))
local popped = redis.call('ZPOPMIN', KEYS[2], ARGV[2])
local answer = {redis.call('EXISTS', KEYS[2])}
local leased = {}
for i = 1, #popped, 2 do leased[i], leased[i + 1] = until_ms, popped[i] end
if #leased > 0 and redis.call('ZADD', KEYS[1], 'XX', 'CH', unpack(leased)) == #leased / 2 then
  for i = 2, #leased, 2 do answer[#answer + 1] = leased[i] end
else
  for i = 2, #leased, 2 do
    -- One that is not dirty any more was evaluated by somebody whose lease had lapsed.
    if redis.call('ZSCORE', KEYS[1], leased[i]) then answer[#answer + 1] = leased[i] end
  end
end
if answer[1] == 1 then
  redis.call('HSET', KEYS[3], '', popped[#popped])
else
  redis.call('DEL', KEYS[3])
end
return answer
