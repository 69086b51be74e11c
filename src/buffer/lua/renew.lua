-- renew: moves the wake-up mark of a lane whose sealed batch the caller works on.
--
-- KEYS[1] meta    hash: sealed, due, ...
-- ARGV[1] number   the sealed batch's number
-- ARGV[2] aheadMs  from now, when the caller (or its job) will look at the lane again
-- returns 1, or 0 when the sealed batch is not the one with this number
--
-- Atomic because a mark renewed after the lane became empty would swallow the next write's wake-up.
local meta, number, aheadMs = KEYS[1], ARGV[1], tonumber(ARGV[2])

if redis.call('HGET', meta, 'sealed') ~= number then return 0 end
local time = redis.call('TIME')
redis.call('HSET', meta, 'due', string.format('%.0f', time[1] * 1000000 + time[2] + aheadMs * 1000))
return 1
