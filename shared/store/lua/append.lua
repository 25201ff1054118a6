-- WITH waiting
-- Append events to one athlete's timeline: duplicate and revision check, timeline, dirty mark, in one write.
-- KEYS: seen, events, meta, dirty, waiting, turns, news, digest, then timelines: those of the events' types, and all
--       where an event may be taken off any
-- ARGV: athlete ref, the numbers of the timelines' types, a digit each, then for each event: key, revision, content
--       hash, start ms, payload, key to delete or '', which of the timelines is its own (0: none)
-- Returns: {status, status, ...}; status accepted, duplicate or conflict.
local seen, events, meta, dirty, waiting, turns = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local news, digest = KEYS[7], KEYS[8]
local FIRST = 9
local MOST_NEWS = 500
local answers = {}
local changed = false

-- A `seen` value is ["!"] revision ":" hash {"," revision ":" hash}; "!" marks an event that was deleted for good.
local function revisions(text)
  local known, highest = {}, -1
  for revision, hash in string.gmatch(text, '(%d+):(%x+)') do
    local number = tonumber(revision)
    known[number] = hash
    if number > highest then highest = number end
  end
  return known, highest
end

-- News says where the timeline has changed since the last commit: TYPE'S NUMBER|START|KEY, or "*" for anywhere.
local digested = tonumber(redis.call('HGET', meta, 'digest_until') or '0')
local told = 0
local function tell(timeline, start, key)
  if tonumber(start) < digested then
    redis.call('DEL', digest)
    redis.call('HDEL', meta, 'digest', 'digest_until')
    digested = 0
  end
  local number = string.sub(ARGV[2], timeline - FIRST + 1, timeline - FIRST + 1)
  told = redis.call('RPUSH', news, number .. '|' .. start .. '|' .. key)
end

local function take_off(key)
  if redis.call('HDEL', events, key) == 0 then return end
  for timeline = FIRST, #KEYS do  -- a revision may have given the event another type
    local start = redis.call('ZSCORE', KEYS[timeline], key)
    if start then
      redis.call('ZREM', KEYS[timeline], key)
      tell(timeline, start, key)
    end
  end
end

for i = 3, #ARGV, 7 do
  local key, revision, hash, start, payload, target, own = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], tonumber(ARGV[i + 6])
  -- Most events are new, and then this one command has asked and noted it.
  local new = redis.call('HSETNX', seen, key, ARGV[i + 1] .. ':' .. hash) == 1
  local text = new and '' or redis.call('HGET', seen, key)
  local known, highest = {}, -1
  if not new then known, highest = revisions(text) end
  if known[revision] == hash then
    answers[#answers + 1] = 'duplicate'
  elseif known[revision] then
    answers[#answers + 1] = 'conflict'
  else
    if not new then
      redis.call('HSET', seen, key, text .. (text == '!' and '' or ',') .. ARGV[i + 1] .. ':' .. hash)
    end
    if target ~= '' then
      local marked = redis.call('HGET', seen, target) or ''
      if string.sub(marked, 1, 1) ~= '!' then redis.call('HSET', seen, target, '!' .. marked) end
      take_off(target)
    end
    if revision > highest then
      if not new then take_off(key) end
      if target == '' and string.sub(text, 1, 1) ~= '!' then
        redis.call('HSET', events, key, payload)
        redis.call('ZADD', KEYS[FIRST + own - 1], start, key)
        tell(FIRST + own - 1, start, key)
      end
    end
    changed = true
    answers[#answers + 1] = 'accepted'
  end
end

if changed then
  if told > MOST_NEWS then
    redis.call('DEL', news)
    redis.call('RPUSH', news, '*')
  end
  redis.call('HINCRBY', meta, 'inputs', 1)
  mark(dirty, waiting, turns, ARGV[1], wall_ms())
end
return answers
