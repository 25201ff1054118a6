-- Put a delivery into its subscription's lane, once.
-- KEYS: deliveries, lane, log, lanes, delivery owner
-- ARGV: lane ref, delivery id, payload, due ms, created ms, '1' when it may gather more items
-- Returns: 'created', 'gathered', 'known', or 'closed' when it was tried and takes nothing more
local stored = redis.call('HGET', KEYS[1], ARGV[2])
if stored then
  if ARGV[6] ~= '1' then return 'known' end
  local delivery, more = cjson.decode(stored), cjson.decode(ARGV[3])
  -- A digest that was tried, or is being tried (then it is in no lane), has its content; it takes nothing more.
  if delivery.state ~= 'pending' or #delivery.attempts > 0 or not redis.call('ZSCORE', KEYS[2], ARGV[2]) then return 'closed' end
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
  redis.call('HSET', KEYS[1], ARGV[2], (string.gsub(text, '"attempts":{}', '"attempts":[]')))
  return 'gathered'
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[2])
redis.call('ZADD', KEYS[4], 'LT', ARGV[4], ARGV[1])
redis.call('HSET', KEYS[5], ARGV[2], ARGV[1])
return 'created'
