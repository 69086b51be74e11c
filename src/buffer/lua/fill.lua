-- fill: puts loaded values into the cache, where the caller's lease still stands, and wakes those who wait
-- for them.
--
-- KEYS[1]  meta    hash: version, generation, ...
-- KEYS[2+] entries the entry's key of each value
-- ARGV[1]  token   that the leases were claimed with
-- ARGV[2]  channel where waiting is ended, by an entry's key
-- ARGV[3+] values  two for each entry: ttlMs, content. A record's content comes without a version, P|<JSON>
--                  or D|, and gets the lane's next: no other state of the record has had it. Or it comes with
--                  that of its row's version column, and the lane's next write gets a newer one. '': there is
--                  nothing to fill, and the lease is released
-- returns  one for each entry: 1 when it was filled, else 0
--
-- Atomic because the lease stands in the entry itself: between the comparison and the SET no write may
-- come. A write, a delete, an eviction or an expiry has replaced or removed the lease: no lease, no fill.
local meta, token, channel = KEYS[1], ARGV[1], ARGV[2]
local replies = {}

local function lastVersion()
  local known = redis.call('HMGET', meta, 'version', 'generation')
  generationOf(meta, known[2], known[1], 0)
  return known[1]
end

-- One for all values of the call.
local version
local function nextVersion()
  if version then return version end
  version = text(nextNumber(lastVersion(), serverUs()))
  redis.call('HSET', meta, 'version', version)
  return version
end

-- Clocks differ, and the lane follows the one that is ahead. A version that is further ahead is no time of a
-- clock.
local aheadMaxUs = 24 * 3600 * 1000000

local function raiseVersion(own)
  local last = tonumber(lastVersion()) or 0
  if tonumber(own) <= last or tonumber(own) > math.max(last, serverUs()) + aheadMaxUs then return end
  redis.call('HSET', meta, 'version', own)
end

local function versioned(content)
  if isDelta(content) then return content end
  local own = versionIn(content)
  if not own then return kindOf(content) .. nextVersion() .. string.sub(content, 2) end
  raiseVersion(own)
  return content
end

for i = 2, #KEYS do
  local key, ttlMs, content = KEYS[i], ARGV[2 * i - 1], ARGV[2 * i]
  local holder, waitMark = leaseIn(redis.call('GET', key))
  local isHeld = holder == token
  if isHeld and content == '' then
    redis.call('DEL', key)
  elseif isHeld then
    redis.call('SET', key, versioned(content), 'PX', ttlMs)
  end
  replies[i - 1] = isHeld and content ~= '' and 1 or 0
  -- Whoever waited for a lease that is lost can't be told apart.
  if not isHeld or waitMark ~= '' then redis.call('PUBLISH', channel, key) end
end
return replies
