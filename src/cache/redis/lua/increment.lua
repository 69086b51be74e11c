-- increment: adds to a plain integer, or makes one.
--
-- KEYS[1] entry  string: what README.md says
-- ARGV[1] delta  an integer within ±(2^53 - 1)
-- ARGV[2] ttlMs  life of a counter that is made; one that is there lives on as before
-- returns the sum; 'other' when there is a value that is no plain integer; 'overflow', with nothing added,
--         when the sum would leave ±(2^53 - 1), which JavaScript can't hold exactly
--
-- Atomic because a lease over nothing must give way to the first sum, and to no other, and because the sum
-- must be known to fit before it is kept.
local entry = KEYS[1]
local delta, ttlMs = ARGV[1], ARGV[2]

local safeMax = 9007199254740991
local current = redis.call('GET', entry)
if not current or isLeaseAlone(current) then
  redis.call('SET', entry, delta, 'PX', ttlMs)
  return delta
end
if current ~= '0' and not string.find(current, '^%-?[1-9]%d*$') then return 'other' end
local function isSafe(number) return number <= safeMax and number >= -safeMax end
-- The sum of two numbers within the range is exact, or beyond it.
local isCounted = isSafe(tonumber(current)) and isSafe(tonumber(current) + tonumber(delta))
if not isCounted then return 'overflow' end
redis.call('INCRBY', entry, delta)
return redis.call('GET', entry)
