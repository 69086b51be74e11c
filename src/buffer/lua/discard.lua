-- discard: drops a dead letter for good.
--
-- KEYS[1] meta    hash: dead, ...
-- KEYS[2] dead    sorted set: the dead letters' fields -> when (µs) they were refused
-- KEYS[3] letter  hash: field -> record, and '' -> the error
-- ARGV[1] field   the letter's field
-- ARGV[2] at      when it was refused (µs)
-- returns 1, or 0 when there is no such letter (any more)
--
-- Atomic because a letter that was made anew meanwhile is another one, which nobody has looked at.
local meta, dead, letter = KEYS[1], KEYS[2], KEYS[3]
local field, at = ARGV[1], ARGV[2]

local refusedAt = tonumber(redis.call('ZSCORE', dead, field))
if not refusedAt or text(refusedAt) ~= at then return 0 end
redis.call('ZREM', dead, field)
redis.call('UNLINK', letter)
redis.call('HSET', meta, 'dead', redis.call('ZCARD', dead))
return 1
