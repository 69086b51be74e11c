-- counter-sum: what is added to a counter, in front of write.lua alone. What is dirty, sealed and dead of a
-- counter comes together once it is put back, replayed, or its row is put: so that of one sign must fit in 64
-- bits together. Whatever of it comes together later then fits.
--
-- addTo     adds a delta in a hash, and returns the sum; nil, with nothing added, where it does not fit. For
--           only Redis adds 64-bit integers
-- addWith   as addTo, where others, a list of deltas, may be added yet: nil, too, where those do not fit
local function addTo(hash, field, delta)
  local sum = redis.pcall('HINCRBY', hash, field, delta)
  if type(sum) == 'number' then return sum end
  if string.find(sum.err, 'overflow', 1, true) then return nil end
  -- Redis refuses writes in the state that it is in: nothing was done before the call's first one.
  error(sum.err, 0)
end

local function addWith(hash, field, delta, others)
  local before = redis.call('HGET', hash, field)
  local size = math.abs(tonumber(before or 0)) + math.abs(tonumber(delta))
  for _, other in ipairs(others) do size = size + math.abs(tonumber(other)) end
  -- Far from the limit nothing is tried.
  if size < 2 ^ 62 then return addTo(hash, field, delta) end
  local sum = addTo(hash, field, delta)
  -- As text, for it has more digits than Lua's numbers.
  local after, fits = redis.call('HGET', hash, field), sum
  for _, other in ipairs(others) do
    if fits and (tonumber(other) < 0) == (sum < 0) then fits = addTo(hash, field, other) end
  end
  local left = fits and after or before
  if left then redis.call('HSET', hash, field, left) else redis.call('HDEL', hash, field) end
  return fits and sum
end
