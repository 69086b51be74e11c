-- hurry: asks that what the lane has accepted by now is flushed without waiting for its delay.
--
-- KEYS[1] meta    hash: version, generation, sealed, hurry, due, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- KEYS[3] waiting hash: field -> for how long the record waits for what it refers to
-- returns {version, generation}: the last accepted version, and the lane's generation; or {} when everything
--         is persisted
--
-- Atomic because a write that is accepted meanwhile must not be among what is asked for, nor a batch that
-- is sealed meanwhile look like an empty lane.
local meta, order, waiting = KEYS[1], KEYS[2], KEYS[3]

local known = redis.call('HMGET', meta, 'version', 'sealed', 'generation', 'due')
local pending = redis.call('ZCARD', order) + redis.call('HLEN', waiting)
if not known[2] and pending == 0 then return {} end
letPass(meta)
redis.call('HSET', meta, 'hurry', known[1])
-- Where no job comes, for the queue has lost it or counts it to a worker that is gone, a sweep wakes the
-- lane, which does not wait for the delay either.
local now = serverUs()
if known[4] and tonumber(known[4]) > now then redis.call('HSET', meta, 'due', text(now)) end
return {known[1], known[3] or ''}
