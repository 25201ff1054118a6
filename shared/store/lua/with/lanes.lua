-- How a lane stands in the indexes of its partition: by its earliest due, and by its earliest lapsing claim. Whoever has
-- looked at a lane has answered its wake-up. Return when the earliest is due, or nil when nothing waits.
local function index(ref, lane, flights, lanes, flying, woken)
  local first = redis.call('ZRANGE', lane, 0, 0, 'WITHSCORES')[2]
  if first then redis.call('ZADD', lanes, first, ref) else redis.call('ZREM', lanes, ref) end
  local lapses = redis.call('ZRANGE', flights, 0, 0, 'WITHSCORES')[2]
  if lapses then redis.call('ZADD', flying, lapses, ref) else redis.call('ZREM', flying, ref) end
  redis.call('HDEL', woken, ref)
  return first
end

-- Call a command with a key and with the arguments that were collected for it, if there are any.
local function each(command, key, arguments)
  if #arguments > 0 then return redis.call(command, key, unpack(arguments)) end
  return {}
end
