-- wake: claims a lane that has unpersisted records and a wake-up mark that has gone quiet.
--
-- KEYS[1] meta    hash: sealed, due, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- ARGV[1] quietMs  how long past its due time a mark counts as alive
-- returns 1 when the caller must add a wake-up job, else 0
--
-- Atomic because of any number of sweeps only one may claim the lane.
local meta, order = KEYS[1], KEYS[2]
local quietMs = tonumber(ARGV[1])

local known = redis.call('HMGET', meta, 'sealed', 'due')
if not known[1] and redis.call('ZCARD', order) == 0 then return 0 end
letPass(meta)
local now = serverUs()
if known[2] and tonumber(known[2]) + quietMs * 1000 > now then return 0 end
redis.call('HSET', meta, 'due', text(now))
return 1
