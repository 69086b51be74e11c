-- increment: adds to a plain integer.
--
-- KEYS[1] entry  string: what README.md says
-- ARGV[1] delta  an integer
-- returns the sum; '' when there is a value that is no plain integer, or the sum has more than 64 bits
--
-- Atomic because a lease over nothing must give way to the first sum, and to no other.
local entry = KEYS[1]
local delta = ARGV[1]

local current = redis.call('GET', entry)
if current and isLeaseAlone(current) then redis.call('DEL', entry) end
local sum = redis.pcall('INCRBY', entry, delta)
if type(sum) ~= 'number' then
  if string.find(sum.err, 'overflow', 1, true) or string.find(sum.err, 'not an integer', 1, true) then return '' end
  error(sum.err, 0)
end
return redis.call('GET', entry)
