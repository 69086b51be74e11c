-- set-if-absent: sets an entry that has no value.
--
-- KEYS[1] entry  string: what README.md says
-- ARGV[1] content  the value as it stands in an entry
-- ARGV[2] ttlMs    life of the entry
-- returns 1, or 0 when there is a value, also a stale one under a lease
--
-- Atomic because of any number of callers only one may find it absent.
local entry = KEYS[1]
local content, ttlMs = ARGV[1], ARGV[2]

local current = redis.call('GET', entry)
if current and not isLeaseAlone(current) then return 0 end
redis.call('SET', entry, content, 'PX', ttlMs)
return 1
