-- How athletes wait for an evaluation. `dirty` is the record that they do: with WAITING and the wall ms since when, while
-- nobody has taken them; with the wall ms at which the lease lapses, while somebody has. `waiting` is the order in which
-- they are taken, fair among clubs by start-time fair queueing (Goyal, Vin and Cheng 1996): an athlete's turn comes after
-- the last one of its club, and never before the one that was taken last. A club's import thus delays another club by
-- one athlete, not by all of its own.
local WAITING = 100000000000000

local function wall_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function line_up(waiting, turns, ref)
  local club = string.match(ref, '^[^/]*')
  local known = redis.call('HMGET', turns, club, '')
  local turn = math.max(tonumber(known[1] or '0'), tonumber(known[2] or '0')) + 1
  redis.call('HSET', turns, club, string.format('%d', turn))
  redis.call('ZADD', waiting, string.format('%d', turn), ref)
end

-- Mark an athlete, and line it up unless it waits or is being evaluated already: then the commit sees what has changed.
local function mark(dirty, waiting, turns, ref, wall)
  if redis.call('ZADD', dirty, 'NX', string.format('%d', WAITING + wall), ref) == 1 then line_up(waiting, turns, ref) end
end
