-- WITH waiting
-- Find what one partition wants: mark the athletes whose time has come, line up those whose evaluation was lost, and
-- lease those whose outbox was left unrouted, so that the next tick leaves them alone for a while.
-- KEYS: dirty, due, outboxes, waiting, turns
-- ARGV: clock ms, lease ms, most
-- Returns: {1 when somebody waits in the partition, athlete to route, ...}
local wall = wall_ms()
for _, ref in ipairs(redis.call('ZRANGE', KEYS[2], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])) do
  redis.call('ZREM', KEYS[2], ref)
  mark(KEYS[1], KEYS[4], KEYS[5], ref, wall)
end
for _, ref in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', string.format('%d', wall), 'BYSCORE', 'LIMIT', 0, ARGV[3])) do
  redis.call('ZADD', KEYS[1], string.format('%d', WAITING + wall), ref)
  line_up(KEYS[4], KEYS[5], ref)
end
local answer = {redis.call('EXISTS', KEYS[4])}
for _, ref in ipairs(redis.call('ZRANGE', KEYS[3], '-inf', string.format('%d', wall), 'BYSCORE', 'LIMIT', 0, ARGV[3])) do
  redis.call('ZADD', KEYS[3], string.format('%d', wall + tonumber(ARGV[2])), ref)
  answer[#answer + 1] = ref
end
return answer
