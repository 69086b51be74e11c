-- prelude: stands in front of the cache's scripts: what an entry can hold besides a value.
--
-- isLease        whether a lease stands there, perhaps over a value that it covers
-- isLeaseAlone   whether a lease stands there that covers nothing
local function isLease(content)
  return string.sub(content, 1, 1) == '?'
end

local function isLeaseAlone(content)
  return string.find(content, '^%?[^|]*|$') ~= nil
end
