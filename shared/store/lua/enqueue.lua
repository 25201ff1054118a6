-- WITH lanes
-- Put deliveries into their subscription's lane, each once.
-- KEYS: deliveries, lane, log, lanes, delivery owner
-- ARGV: lane ref, then for each delivery: id, payload, due ms, created ms, '1' when it may gather more items
-- Returns: for each 'created', 'gathered', 'known', or 'closed' when it was tried and takes nothing more
local function gather(id, payload)
  local delivery, more = cjson.decode(redis.call('HGET', KEYS[1], id)), cjson.decode(payload)
  -- A digest that was tried, or is being tried (then it is in no lane), has its content; it takes nothing more.
  if delivery.state ~= 'pending' or #delivery.attempts > 0 or not redis.call('ZSCORE', KEYS[2], id) then return 'closed' end
  local have = {}
  for _, item in ipairs(delivery.items) do have[item.advice_id .. ':' .. item.revision .. item.type] = true end
  local gathered = false
  for _, item in ipairs(more.items) do
    if not have[item.advice_id .. ':' .. item.revision .. item.type] then
      delivery.items[#delivery.items + 1] = item
      gathered = true
    end
  end
  if not gathered then return 'known' end
  -- cjson turns an empty list into an object; this delivery has items, and no attempts yet.
  local text = cjson.encode(delivery)
  redis.call('HSET', KEYS[1], id, (string.gsub(text, '"attempts":{}', '"attempts":[]')))
  return 'gathered'
end

local answers, due, created, owners, soonest = {}, {}, {}, {}, math.huge
for i = 2, #ARGV, 5 do
  local id, payload = ARGV[i], ARGV[i + 1]
  if redis.call('HSETNX', KEYS[1], id, payload) == 1 then
    -- A digest is in its lane at once: the next one of these may be to be gathered into it.
    if ARGV[i + 4] == '1' then redis.call('ZADD', KEYS[2], ARGV[i + 2], id) end
    due[#due + 1], due[#due + 2] = ARGV[i + 2], id
    created[#created + 1], created[#created + 2] = ARGV[i + 3], id
    owners[#owners + 1], owners[#owners + 2] = id, ARGV[1]
    soonest = math.min(soonest, tonumber(ARGV[i + 2]))
    answers[#answers + 1] = 'created'
  else
    answers[#answers + 1] = ARGV[i + 4] == '1' and gather(id, payload) or 'known'
  end
end
each('ZADD', KEYS[2], due)
each('ZADD', KEYS[3], created)
each('HSET', KEYS[5], owners)
if #due > 0 then redis.call('ZADD', KEYS[4], 'LT', string.format('%d', soonest), ARGV[1]) end
return answers
