-- wake: claims a lane that has unpersisted records and a wake-up mark that has gone quiet.
--
-- KEYS[1] order   sorted set: field -> the version at which the record became dirty
-- KEYS[2] meta    hash: sealed, due, ...
-- ARGV[1] quietMs  how long past its due time a mark counts as alive
-- returns 1 when the caller must add a wake-up job, else 0
--
-- Atomic because of any number of sweeps only one may claim the lane.
local order, meta = KEYS[1], KEYS[2]
local quietMs = tonumber(ARGV[1])

local known = redis.call('HMGET', meta, 'sealed', 'due')
if not known[1] and redis.call('ZCARD', order) == 0 then return 0 end
-- A write that takes no memory first: Redis then lets the others pass, though its memory is full.
redis.call('HDEL', meta, '')
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if known[2] and tonumber(known[2]) + quietMs * 1000 > now then return 0 end
redis.call('HSET', meta, 'due', string.format('%.0f', now))
return 1
