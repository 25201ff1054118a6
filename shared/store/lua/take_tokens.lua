-- Take tokens from a club's bucket, which fills at a steady rate up to one second's worth.
-- KEYS: bucket; ARGV: tokens a second, tokens wanted
-- Returns: 0 when taken, else the milliseconds to wait
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
local rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local size = math.max(rate, wanted)
local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = math.min(size, tonumber(bucket[1] or size) + (wall - tonumber(bucket[2] or wall)) * rate / 1000)
if level < wanted then return math.ceil((wanted - level) * 1000 / rate) end
redis.call('HSET', KEYS[1], 'level', tostring(level - wanted), 'at', string.format('%d', wall))
redis.call('PEXPIRE', KEYS[1], 60000)
return 0
