-- hurry: asks that what the lane has accepted by now is flushed without waiting for its delay.
--
-- KEYS[1] meta    hash: version, sealed, hurry, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- returns the last accepted version, or '' when everything is persisted
--
-- Atomic because a write that is accepted meanwhile must not be among what is asked for, nor a batch that
-- is sealed meanwhile look like an empty lane.
local meta, order = KEYS[1], KEYS[2]

local known = redis.call('HMGET', meta, 'version', 'sealed')
if not known[2] and redis.call('ZCARD', order) == 0 then return '' end
letPass(meta)
redis.call('HSET', meta, 'hurry', known[1])
return known[1]
