-- tag-version: a tag's version; a tag without one gets a version that it never had.
--
-- KEYS[1] tag    string: the version
-- ARGV[1] ttlMs  life of the version after its last use
-- returns the version: µs since 1970 by the server's clock, about
--
-- Atomic because two callers that find no version must get the same one.
local tag = KEYS[1]
local ttlMs = ARGV[1]

local version = redis.call('GET', tag)
if version then
  redis.call('PEXPIRE', tag, ttlMs)
  return version
end
version = text(serverUs())
redis.call('SET', tag, version, 'PX', ttlMs)
return version
