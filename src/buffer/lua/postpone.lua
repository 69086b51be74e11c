-- postpone: counts a failed try of the sealed batch, and moves the wake-up mark to the next try.
--
-- KEYS[1] meta     hash: sealed, due, failures, ...
-- ARGV[1] number   the sealed batch's number
-- ARGV[2] firstMs  wait after the first failure; doubled with each further one
-- ARGV[3] maxMs    longest wait
-- returns {waitMs, failures}: how long to wait at most, and how often this batch has failed; {0, 0} when the
--         sealed batch is not the one with this number
--
-- Atomic because a mark moved after the lane became empty would swallow the next write's wake-up.
local meta, number, firstMs, maxMs = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

if redis.call('HGET', meta, 'sealed') ~= number then return {0, 0} end
letPass(meta)
local failures = redis.call('HINCRBY', meta, 'failures', 1)
local waitMs = math.min(firstMs * 2 ^ math.min(failures - 1, 30), maxMs)
redis.call('HSET', meta, 'due', text(serverUs() + waitMs * 1000))
return {waitMs, failures}
