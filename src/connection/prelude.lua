-- prelude: stands in front of every script: the server's clock, numbers as text, and the rule of versions.
--
-- serverUs    the server's clock in µs since 1970
-- serverMs    the same in ms
-- text        a whole number as text: Lua by itself prints 14 digits and an exponent
-- nextNumber  the rule of versions and batch numbers: greater than the last one, and no less than the clock,
--             so that they grow also when Redis has lost its memory. last: text, or false when there is none
local function serverUs()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function serverMs()
  return math.floor(serverUs() / 1000)
end

local function text(number)
  return string.format('%.0f', number)
end

-- [FB-NUMBERS] [FC-TAG-ONCE]
local function nextNumber(last, now)
  return math.max((tonumber(last) or 0) + 1, now)
end
