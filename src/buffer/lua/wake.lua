-- wake: claims a lane that has unpersisted records and a wake-up mark that has gone quiet.
--
-- KEYS[1] meta    hash: sealed, due, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- KEYS[3] retries sorted set: field -> when (µs) a record that waits is tried next
-- ARGV[1] quietMs  how long past its due time a mark counts as alive
-- ARGV[2] aheadMaxMs a mark that is further ahead was made by another clock, and counts as quiet
-- returns 1 when the caller must add a wake-up job, else 0
--
-- Atomic because of any number of sweeps only one may claim the lane.
local meta, order, retries = KEYS[1], KEYS[2], KEYS[3]
local quietMs, aheadMaxMs = tonumber(ARGV[1]), tonumber(ARGV[2])

local known = redis.call('HMGET', meta, 'sealed', 'due')
local places = redis.call('ZCARD', order) + redis.call('ZCARD', retries)
if not known[1] and places == 0 then return 0 end
letPass(meta)
local now = serverUs()
local aheadMs = known[2] and (tonumber(known[2]) - now) / 1000
if aheadMs and aheadMs > -quietMs and aheadMs <= aheadMaxMs then return 0 end
redis.call('HSET', meta, 'due', text(now))
return 1
