-- write: accepts writes of one lane: the entry is written and the record marked dirty.
--
-- KEYS[1]  dirty   hash: field -> dirty record
-- KEYS[2]  order   sorted set: field -> the version at which the record became dirty
-- KEYS[3]  meta    hash: version, batch, sealed, due, ...
-- KEYS[4+] entries the entry's key of each write
-- ARGV[1]  fieldStart  where the field begins in an entry's key (1-based)
-- ARGV[2]  dirtyMax    most dirty records in the lane
-- ARGV[3]  delayMs     time from the first dirty record to its flush
-- ARGV[4+] writes      three for each entry: op, ttlMs, payload
--            put     payload: the row's JSON
--            delete  payload: empty
--            add     payload: the delta, an integer
--            forget  payload: empty. Drops the deltas of a deleted row's counter; belongs to the delete
--                    before it
-- returns  {wake, reply, ...}: wake is 1 when the caller must add a wake-up job; a reply for each write:
--          its version, or 'full', or 'overflow'
--
-- Atomic because the entry, the dirty record, its place in the order and the wake-up mark must change
-- together: a crash between two of them would lose the write or serve one that is never persisted.
local dirty, order, meta = KEYS[1], KEYS[2], KEYS[3]
local fieldStart, dirtyMax, delayMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local known = redis.call('HMGET', meta, 'version', 'due')
local version = math.max((tonumber(known[1]) or 0) + 1, now)
local dirtyCount = redis.call('HLEN', dirty)
local accepted = 0
local replies = {0}

local function isFull(previous)
  return not previous and dirtyCount >= dirtyMax
end

local function markDirty(previous, field, stamp)
  if not previous then
    redis.call('ZADD', order, stamp, field)
    dirtyCount = dirtyCount + 1
  end
end

local function addToEntry(key, delta)
  local entry = redis.call('GET', key)
  if not entry then return end
  if not string.find(entry, '^%-?%d+$') or type(redis.pcall('INCRBY', key, delta)) ~= 'number' then
    redis.call('DEL', key)
  end
end

local ops = {}

-- A put over a pending delete is a replacement: the row is deleted and made anew.
function ops.put(key, field, stamp, ttlMs, payload)
  local previous = redis.call('HGET', dirty, field)
  if isFull(previous) then return 'full' end
  local kind = 'P'
  if previous then
    local first = string.byte(previous, 1)
    if first == 68 or first == 82 then kind = 'R' end
  end
  local record = kind .. stamp .. '|' .. payload
  redis.call('HSET', dirty, field, record)
  markDirty(previous, field, stamp)
  redis.call('SET', key, record, 'PX', ttlMs)
  return stamp
end

function ops.delete(key, field, stamp, ttlMs)
  local previous = redis.call('HGET', dirty, field)
  if isFull(previous) then return 'full' end
  local record = 'D' .. stamp .. '|'
  redis.call('HSET', dirty, field, record)
  markDirty(previous, field, stamp)
  redis.call('SET', key, record, 'PX', ttlMs)
  return stamp
end

function ops.add(key, field, stamp, ttlMs, payload)
  local previous = redis.call('HEXISTS', dirty, field) == 1
  if isFull(previous) then return 'full' end
  if type(redis.pcall('HINCRBY', dirty, field, payload)) ~= 'number' then return 'overflow' end
  markDirty(previous, field, stamp)
  addToEntry(key, payload)
  return stamp
end

local deleted = false
for i = 4, #KEYS do
  local at = 3 * (i - 3) + 1
  local key, op, ttlMs, payload = KEYS[i], ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local field = string.sub(key, fieldStart)
  local stamp = string.format('%.0f', version)
  if op == 'forget' then
    if deleted then
      if redis.call('HDEL', dirty, field) == 1 then
        redis.call('ZREM', order, field)
        dirtyCount = dirtyCount - 1
      end
      redis.call('DEL', key)
    end
    replies[#replies + 1] = stamp
  else
    local reply = ops[op](key, field, stamp, ttlMs, payload)
    deleted = op == 'delete' and reply == stamp
    if reply == stamp then
      version = version + 1
      accepted = accepted + 1
    end
    replies[#replies + 1] = reply
  end
end

if accepted > 0 then
  redis.call('HSET', meta, 'version', string.format('%.0f', version - 1))
  if not known[2] then
    redis.call('HSET', meta, 'due', string.format('%.0f', now + delayMs * 1000))
    replies[1] = 1
  end
end
return replies
