-- renew: keeps the wake-up mark of a lane alive while the caller works on its sealed batch.
--
-- KEYS[1] meta    hash: sealed, due, ...
-- ARGV[1] number  the sealed batch's number
-- returns 1, or 0 when the sealed batch is not the one with this number
--
-- Atomic because a mark renewed after the lane became empty would swallow the next write's wake-up.
local meta, number = KEYS[1], ARGV[1]

if redis.call('HGET', meta, 'sealed') ~= number then return 0 end
letPass(meta)
redis.call('HSET', meta, 'due', text(serverUs()))
return 1
