-- expire: gives a value another life, all of it fresh.
--
-- KEYS[1] entry  string: what README.md says
-- ARGV[1] ttlMs  its life from now on
-- returns 1, or 0 when there is no value
--
-- Atomic because the time until which the value is fresh stands in the value: a write in between would be
-- undone.
local entry = KEYS[1]
local ttlMs = ARGV[1]

local content = redis.call('GET', entry)
if not content or isLease(content) then return 0 end
local freshUntil = text(serverMs() + tonumber(ttlMs))
local id, rest = string.match(content, '^V([^;]*);%d*;(.*)$')
if id then content = 'V' .. id .. ';' .. freshUntil .. ';' .. rest end
redis.call('SET', entry, content, 'PX', ttlMs)
return 1
