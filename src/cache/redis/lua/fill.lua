-- fill: puts a value into an entry whose lease the caller holds, and wakes those who wait for it.
--
-- KEYS[1] entry  string: what README.md says
-- ARGV[1] token    that the lease was claimed with
-- ARGV[2] content  the value as it stands in an entry
-- ARGV[3] ttlMs    life of the entry
-- ARGV[4] channel  where waiting is ended
-- ARGV[5] name     what they wait for
-- returns 1, or 0 when the lease is gone: a write, a delete, an invalidation or another lease has replaced
--         it, or it was evicted or has expired. No lease, no fill
--
-- Atomic because between the comparison and the SET no write may come.
local entry = KEYS[1]
local token, content, ttlMs, channel, name = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

-- [FC-FILL]
local holder, waitMark = string.match(redis.call('GET', entry) or '', '^%?([^;]*);%d+;(w?)|')
if holder ~= token then
  redis.call('PUBLISH', channel, name)
  return 0
end
redis.call('SET', entry, content, 'PX', ttlMs)
if waitMark == 'w' then redis.call('PUBLISH', channel, name) end
return 1
