-- invalidate-tag: gives a tag a new version, so that every value filled under an older one is stale.
--
-- KEYS[1] tag    string: the version
-- ARGV[1] ttlMs  life of the version after its last use
-- returns the version: greater than any before it, also when the last one was evicted
--
-- Atomic because the new version must be greater than one that another caller sets meanwhile.
local tag = KEYS[1]
local ttlMs = ARGV[1]

local version = text(nextNumber(redis.call('GET', tag), serverUs()))
redis.call('SET', tag, version, 'PX', ttlMs)
return version
