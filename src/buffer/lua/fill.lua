-- fill: puts loaded values into the cache, where the caller's lease still stands, and wakes those who wait for them.
--
-- KEYS[1]  meta    hash: version, ...
-- KEYS[2+] entries the entry's key of each value
-- ARGV[1]  token   the lease token that recall was called with
-- ARGV[2]  channel where waiting is ended, by an entry's key
-- ARGV[3+] values  two for each entry: ttlMs, content. A record's content comes without a version, P|<JSON> or D|,
--                  and gets the lane's next: no other state of the record has had it. Or it comes with that
--                  of its row's version column, and the lane's next write gets a newer one. '': there is nothing
--                  to fill, and the lease is given back
-- returns  how many were filled
--
-- Atomic because the lease stands in the entry itself: between the comparison and the SET no write may
-- come. A write, a delete, an eviction or an expiry has replaced or removed the lease: no lease, no fill.
local meta, token, channel = KEYS[1], ARGV[1], ARGV[2]
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

-- Lua counts no further than 2^53: a version beyond it, which is no time, must not become the lane's.
local versionMax = 2 ^ 53 - 2 ^ 32

local function raiseVersion(own)
  local last = tonumber(redis.call('HGET', meta, 'version')) or 0
  if tonumber(own) <= last or tonumber(own) > versionMax then return end
  redis.call('HSET', meta, 'version', own)
end

local function versioned(content)
  local isCounter = string.byte(content) < 65
  if isCounter then return content end
  local own = string.match(content, '^P(%d+)|')
  if not own then return string.sub(content, 1, 1) .. nextVersion() .. string.sub(content, 2) end
  raiseVersion(own)
  return content
end

for i = 2, #KEYS do
  local key, ttlMs, content = KEYS[i], ARGV[2 * i - 1], ARGV[2 * i]
  local holder, isWaitedFor = string.match(redis.call('GET', key) or '', '^%?([^;]*)(;?w?)$')
  local isHeld = holder == token
  if isHeld and content == '' then
    redis.call('DEL', key)
  elseif isHeld then
    redis.call('SET', key, versioned(content), 'PX', ttlMs)
    filled = filled + 1
  end
  -- Whoever waited for a lease that is lost can't be told apart.
  if not isHeld or isWaitedFor ~= '' then redis.call('PUBLISH', channel, key) end
end
return filled
