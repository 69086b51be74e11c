-- seal: the lane's next batch: the one that a crash left, or up to recordsMax of its oldest dirty records, or
-- of those that wait and are due.
--
-- KEYS[1] meta    hash: version, generation, batch, sealed, since, bytes, due, hurry, dead, retried, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty; and the anchors of
--                 aggregates, each at the place of all that is dirty of it
-- KEYS[3] dirty   hash: field -> dirty record
-- KEYS[4] sealed  hash: field -> record of the sealed batch
-- KEYS[5] waiting hash: field -> for how long the record waits for what it refers to
-- KEYS[6] retries sorted set: field -> when (µs) a record that waits is tried next; or its turnPlace
-- KEYS[7] round   hash: tenant -> how many records of it have become dirty since the order was sealed last
-- ARGV[1] recordsMax  most records in a batch
-- ARGV[2] bytesMax    a batch is closed once its records have this many bytes
-- ARGV[3] delayMs     how old the oldest dirty record must be, unless there are recordsMax of them, or
--                     somebody waits for it
-- ARGV[4] floor       the number of the last batch that is known to be applied
-- ARGV[5] compared    the generation of the lane that the caller has compared with the ledger; '': any
-- ARGV[6] staysMs     for how long the caller stays when the lane is empty, to look again; 0: it leaves
-- ARGV[7] hasAggregates 1 when records are committed by aggregates, else 0
-- returns {'batch', number, generation, persisted, isRetry, ageUs, field, record, ...}: up to which version
--         everything is in the database once the batch is, or '' when records wait or are refused; isRetry 1:
--         its records were tried before; how long ago the oldest became dirty, or '': all have
--         waited. Or {'wait', ms} until the oldest is
--         old enough, or the caller has stayed, or {'empty'}: the wake-up mark was cleared, or
--         {'uncompared'}: the lane is of another generation, and nothing was done
--
-- Atomic because "the lane is empty" and the wake-up mark must be decided at one moment (else a write's
-- wake-up is lost), and because a record must never be in neither of dirty and sealed.
local meta, order, dirty, sealed, waiting, retries = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local round = KEYS[7]
local recordsMax, bytesMax, delayMs, floor = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local compared, staysMs, hasAggregates = ARGV[5], tonumber(ARGV[6]), ARGV[7]
local chunkSize = 100
-- Versions of one call are this far ahead of the clock. One that is further ahead was given by another clock,
-- or is a foreign row's.
local aheadMaxUs = 1000
-- A record is tried again within half a second: a time that is further ahead was given by another clock.
local retryMaxUs = 1000000

local now = serverUs()

letPass(meta)
local known = redis.call('HMGET', meta, 'sealed', 'batch', 'hurry', 'bytes', 'version', 'dead', 'retried', 'generation', 'since')
local generation = generationOf(meta, known[8], known[5], 0)
-- [FB-COMPARED]
if compared ~= '' and compared ~= generation then return {'uncompared'} end
local hurry, bytes = tonumber(known[3]) or 0, tonumber(known[4]) or 0

local function persistedThen()
  if redis.call('HLEN', waiting) > 0 or (tonumber(known[6]) or 0) > 0 then return '' end
  local oldest = oldestVersion(order)
  return oldest and text(oldest - 1) or known[5] or '0'
end

local function sealedBatch(number, isRetry, since)
  local batch = {'batch', number, generation, persistedThen(), isRetry and 1 or 0, since > (tonumber(known[5]) or 0) and '' or text(now - since)}
  for _, part in ipairs(redis.call('HGETALL', sealed)) do batch[#batch + 1] = part end
  return batch
end

-- [FB-ONE-BATCH]
if known[1] then
  redis.call('HSET', meta, 'due', text(now))
  return sealedBatch(known[1], known[7], tonumber(known[9]) or now)
end

-- All that is dirty becomes the batch, whatever its size: nothing is copied.
local function takeAll()
  redis.call('RENAME', dirty, sealed)
  redis.call('UNLINK', order)
end

local function takeSlice(fields)
  local moved, movedBytes = {}, 0
  for i, record in ipairs(redis.call('HMGET', dirty, unpack(fields))) do
    -- A place without its record: an aggregate's anchor, the deltas of a row that was deleted, or one that
    -- comes from outside. It must not stop the lane.
    if record then
      moved[#moved + 1], moved[#moved + 2] = fields[i], record
      if not isDelta(record) then movedBytes = movedBytes + #record end
    else
      redis.call('HDEL', waiting, fields[i])
    end
  end
  redis.call('HDEL', dirty, unpack(fields))
  if #moved > 0 then redis.call('HSET', sealed, unpack(moved)) end
  return #moved / 2, movedBytes
end

-- In slices, for Lua hands over some thousands of arguments at most, and an aggregate may have more records.
local function take(fields)
  local records, taken = 0, 0
  for first = 1, #fields, chunkSize do
    local moved, movedBytes = takeSlice({unpack(fields, first, math.min(first + chunkSize - 1, #fields))})
    records = records + moved
    taken = taken + movedBytes
  end
  return records, taken
end

local function takeChunk(size)
  local taken = redis.call('ZPOPMIN', order, size)
  local fields = {}
  for i = 1, #taken, 2 do fields[#fields + 1] = taken[i] end
  -- [FB-AGGREGATE] What has one place is not parted.
  local last = hasAggregates == '1' and taken[#taken]
  if last then
    for _, field in ipairs(redis.call('ZRANGEBYSCORE', order, last, last)) do fields[#fields + 1] = field end
    redis.call('ZREMRANGEBYSCORE', order, last, last)
  end
  return take(fields)
end

-- A row and its counters have the same place, and so has an aggregate: they are not parted.
local function takeWaiting(first, last, size)
  local places = redis.call('ZRANGEBYSCORE', retries, first, last, 'WITHSCORES', 'LIMIT', 0, size)
  if #places == 0 then return nil end
  local upTo = places[#places]
  local fields = redis.call('ZRANGEBYSCORE', retries, first, upTo)
  redis.call('ZREMRANGEBYSCORE', retries, first, upTo)
  return take(fields)
end

-- Fills the batch by takeNext, which is given how many to take at most, and returns nil once there are none.
local filled, filledBytes = 0, 0
local function fillBy(takeNext)
  while filled < recordsMax and filledBytes < bytesMax do
    local moved, movedBytes = takeNext(math.min(chunkSize, recordsMax - filled))
    if not moved then return end
    filled = filled + moved
    filledBytes = filledBytes + movedBytes
    bytes = bytes - movedBytes
  end
end

local function takeOldest(size)
  if redis.call('ZCARD', order) > 0 then return takeChunk(size) end
end

-- [FB-SHARE]
local function takeLate(size)
  return takeWaiting('-inf', '(0', size)
end

local function sealUnder(since, isRetry)
  local number = text(math.max(nextNumber(known[2], now), floor + 1))
  redis.call('HSET', meta, 'batch', number, 'sealed', number, 'since', text(since), 'bytes', bytes, 'due', text(now))
  if isRetry then redis.call('HSET', meta, 'retried', 1) else redis.call('HDEL', meta, 'retried') end
  return sealedBatch(number, isRetry, since)
end

-- For how many ms the oldest must wait; 0: not at all.
local function waitMsOf(oldest)
  local ageUs = now - oldest
  local isOfAge = ageUs >= delayMs * 1000 or ageUs < -aheadMaxUs or oldest <= hurry
  if isOfAge or redis.call('ZCARD', order) >= recordsMax then return 0 end
  return math.ceil(delayMs - ageUs / 1000)
end

local function sealDue(due)
  local untilUs = due > now and '+inf' or text(now + retryTogetherUs)
  fillBy(function(size) return takeWaiting('0', untilUs, size) end)
  if redis.call('EXISTS', sealed) == 0 then return nil end
  return sealUnder((tonumber(known[5]) or 0) + 1, true)
end

local function takeOrder()
  redis.call('UNLINK', round)
  local dirtyCount = redis.call('HLEN', dirty)
  local isAll = dirtyCount > 0 and dirtyCount <= recordsMax and bytes <= bytesMax
  if isAll and redis.call('EXISTS', retries) == 0 then
    takeAll()
    bytes = 0
  else
    fillBy(takeOldest)
  end
end

-- What waits for its tenant's turn has the room that the order leaves, and all of it where that is not due.
local function sealOthers(oldest)
  if oldest then takeOrder() end
  fillBy(takeLate)
  if redis.call('EXISTS', sealed) == 0 then return nil end
  return sealUnder(oldest or (tonumber(known[5]) or 0) + 1, false)
end

local function dueNext()
  return tonumber(redis.call('ZRANGEBYSCORE', retries, 0, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2])
end

local due, oldest = dueNext(), oldestVersion(order)
while oldest or redis.call('EXISTS', retries) == 1 do
  local waitMs = oldest and waitMsOf(oldest)
  local isDue = due and (due <= now or due > now + retryMaxUs)
  local hasOthers = waitMs == 0 or redis.call('ZCOUNT', retries, '-inf', '(0') > 0
  local batch
  -- What is tried again holds back nothing: its batches take turns with the others.
  if isDue and not (hasOthers and known[7]) then
    batch = sealDue(due)
  elseif hasOthers then
    batch = sealOthers(waitMs == 0 and oldest or nil)
  else
    waitMs = math.min(waitMs or math.huge, due and math.ceil((due - now) / 1000) or math.huge)
    redis.call('HSET', meta, 'due', text(now + waitMs * 1000))
    return {'wait', waitMs}
  end
  if batch then return batch end
  due, oldest = dueNext(), oldestVersion(order)
end
if staysMs > 0 then
  redis.call('HSET', meta, 'due', text(now + staysMs * 1000))
  return {'wait', staysMs}
end
-- [FB-WAKE] The next write has to promise.
redis.call('HDEL', meta, 'due')
return {'empty'}
