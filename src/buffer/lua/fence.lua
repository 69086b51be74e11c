-- fence: gives a lane the number of lanes that its store has: whoever writes by another number is refused
-- from now on.
--
-- KEYS[1] meta   hash: partitions, sealed, ...
-- KEYS[2] dirty  hash: field -> dirty record
-- ARGV[1] partitions the number of lanes
-- returns 1, or 0 when the lane has another number and holds records that are not persisted: nothing was
--         changed
--
-- Atomic because a write that comes in between would be left in a lane that nobody of the new number looks
-- at.
local meta, dirty = KEYS[1], KEYS[2]
local partitions = ARGV[1]

local known = redis.call('HMGET', meta, 'partitions', 'sealed')
if known[1] == partitions then return 1 end
if known[2] or redis.call('EXISTS', dirty) == 1 then return 0 end
redis.call('HSET', meta, 'partitions', partitions)
return 1
