-- fill: puts loaded values into the cache, where the caller's lease still stands.
--
-- KEYS[1]  meta    hash: version, ...
-- KEYS[2+] entries the entry's key of each value
-- ARGV[1]  token   the lease token that recall was called with
-- ARGV[2+] values  two for each entry: ttlMs, content. A record's content comes without its version, P|<JSON> or D|,
--                  and gets the lane's next: no other state of the record has had it
-- returns  how many were filled
--
-- Atomic because the lease stands in the entry itself: between the comparison and the SET no write may
-- come. A write, a delete, an eviction or an expiry has replaced or removed the lease: no lease, no fill.
local meta, token = KEYS[1], ARGV[1]
local filled = 0

local stamp
local function nextVersion()
  if stamp then return stamp end
  local time = redis.call('TIME')
  local last = tonumber(redis.call('HGET', meta, 'version')) or 0
  stamp = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
  redis.call('HSET', meta, 'version', stamp)
  return stamp
end

local function stamped(content)
  local isCounter = string.byte(content) < 65
  if isCounter then return content end
  return string.sub(content, 1, 1) .. nextVersion() .. string.sub(content, 2)
end

for i = 2, #KEYS do
  local key, ttlMs, content = KEYS[i], ARGV[2 * i - 2], ARGV[2 * i - 1]
  if redis.call('GET', key) == '?' .. token then
    redis.call('SET', key, stamped(content), 'PX', ttlMs)
    filled = filled + 1
  end
end
return filled
