-- seal: the lane's next batch: the one that a crash left, or up to recordsMax of its oldest dirty records.
--
-- KEYS[1] meta    hash: batch, sealed, since, bytes, due, hurry, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- KEYS[3] dirty   hash: field -> dirty record
-- KEYS[4] sealed  hash: field -> record of the sealed batch
-- ARGV[1] recordsMax  most records in a batch
-- ARGV[2] bytesMax    a batch is closed once its records have this many bytes
-- ARGV[3] delayMs     how old the oldest dirty record must be, unless there are recordsMax of them, or
--                     somebody waits for it
-- ARGV[4] floor       the number of the last batch that is known to be applied
-- returns {'batch', number, field, record, ...}, or {'wait', ms} until the oldest is old enough, or
--         {'empty'}: the wake-up mark was cleared
--
-- Atomic because "the lane is empty" and the wake-up mark must be decided at one moment (else a write's
-- wake-up is lost), and because a record must never be in neither of dirty and sealed.
local meta, order, dirty, sealed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local recordsMax, bytesMax, delayMs, floor = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local chunkSize = 100

local now = serverUs()

local known = redis.call('HMGET', meta, 'sealed', 'batch', 'hurry', 'bytes')
local hurry, bytes = tonumber(known[3]) or 0, tonumber(known[4]) or 0

letPass(meta)

local function sealedBatch(number)
  local batch = redis.call('HGETALL', sealed)
  table.insert(batch, 1, number)
  table.insert(batch, 1, 'batch')
  return batch
end

if known[1] then
  redis.call('HSET', meta, 'due', text(now))
  return sealedBatch(known[1])
end

-- All that is dirty becomes the batch, whatever its size: nothing is copied.
local function takeAll()
  redis.call('RENAME', dirty, sealed)
  redis.call('UNLINK', order)
end

local function takeChunk(size)
  local taken = redis.call('ZPOPMIN', order, size)
  local fields = {}
  for i = 1, #taken, 2 do fields[#fields + 1] = taken[i] end
  local moved, movedBytes = {}, 0
  for i, record in ipairs(redis.call('HMGET', dirty, unpack(fields))) do
    -- A place in the order without its record can only come from outside; it must not stop the lane.
    if record then
      moved[#moved + 1], moved[#moved + 2] = fields[i], record
      if not isDelta(record) then movedBytes = movedBytes + #record end
    end
  end
  redis.call('HDEL', dirty, unpack(fields))
  if #moved > 0 then redis.call('HSET', sealed, unpack(moved)) end
  return #moved / 2, movedBytes
end

-- Returns how many bytes it took.
local function takeOldest()
  local records, taken = 0, 0
  while records < recordsMax and taken < bytesMax and redis.call('ZCARD', order) > 0 do
    local moved, movedBytes = takeChunk(math.min(chunkSize, recordsMax - records))
    records = records + moved
    taken = taken + movedBytes
  end
  return taken
end

local oldest = oldestVersion(order)
while oldest do
  local age = (now - oldest) / 1000
  if age < delayMs and oldest > hurry and redis.call('ZCARD', order) < recordsMax then
    redis.call('HSET', meta, 'due', text(oldest + delayMs * 1000))
    return {'wait', math.ceil(delayMs - age)}
  end
  local dirtyCount = redis.call('HLEN', dirty)
  if dirtyCount > 0 and dirtyCount <= recordsMax and bytes <= bytesMax then
    takeAll()
    bytes = 0
  else
    bytes = bytes - takeOldest()
  end
  if redis.call('EXISTS', sealed) == 1 then
    local number = text(math.max(nextNumber(known[2], now), floor + 1))
    redis.call('HSET', meta, 'batch', number, 'sealed', number, 'since', text(oldest), 'bytes', bytes, 'due', text(now))
    return sealedBatch(number)
  end
  oldest = oldestVersion(order)
end
redis.call('HDEL', meta, 'due')
return {'empty'}
