-- split: takes refused records out of the sealed batch, whose number is void, and gives the rest a new
-- number.
--
-- KEYS[1] meta     hash: version, batch, sealed, since, bytes, due, failures, dead, ...
-- KEYS[2] order    sorted set: field -> the version at which the record became dirty
-- KEYS[3] dirty    hash: field -> dirty record
-- KEYS[4] sealed   hash: field -> record of the sealed batch
-- KEYS[5] dead     sorted set: the dead letters' fields -> when (µs) they were refused; each letter is a
--                  hash under this key, a colon and the field: field -> record, '' -> the error, SINCE
-- KEYS[6] waiting  hash: field -> for how long (ms) the record waits for what it refers to, when (µs) it was
--                  last tried, and the version before which nothing of it was accepted
-- KEYS[7] retries  sorted set: field -> when (µs) a record that waits is tried next
-- KEYS[8+] entries the entry's key of each record to be taken out, a row's record before all of its counters
-- ARGV[1] fieldStart  where the field begins in an entry's key (1-based)
-- ARGV[2] number      the batch's number
-- ARGV[3] deadMax     most dead letters of the lane
-- ARGV[4] channel     where to announce what is persisted, when nothing of the batch is left
-- ARGV[5] lane        the lane's name, for the announcement
-- ARGV[6+] fates      six for each entry: fate ('dead'; 'wait': dirty again, for a while; 'again': dirty
--                     again; 'drop': a delta that is dropped), for how many ms at most it waits, the field of
--                     its letter, the field of its row's record or '', the error, the anchor of its aggregate
--                     or ''. All of an aggregate in the batch is given, with one fate; where more of it is
--                     dirty by now, it does not become a dead letter, but is tried with that
-- returns {'split', rest, field, ...}: how many records are left, and the fields of the new dead letters; or
--         {'late'} when the sealed batch is not the one with this number; or {'full'}: there are deadMax
--         letters, nothing was changed
--
-- Atomic because [FB-ONCE] a record must never be in none of dirty, sealed and dead, and because what stands
-- under one number must never change: a late worker could apply the old content beside the new.
local meta, order, dirty, sealed, dead, waiting, retries = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local fieldStart, number, deadMax = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local channel, lane = ARGV[4], ARGV[5]

local known = redis.call('HMGET', meta, 'sealed', 'batch', 'since', 'bytes')
if known[1] ~= number then return {'late'} end
local since, bytes = known[3], tonumber(known[4]) or 0

local now = serverUs()

-- Time in which nobody tried does not count: the database was away, and so was what the record waits for. Of
-- one that only had its tenant's turn to wait for nobody has tried.
local gapMaxMs = 1000
local function waitedFor(field)
  local known = redis.call('HGET', waiting, field)
  if not known then return 0 end
  local waitedMs, triedAt = string.match(known, '^(%d+) (%d+)')
  if triedAt == '0' then return 0 end
  return tonumber(waitedMs) + math.min(math.max(now - tonumber(triedAt), 0) / 1000, gapMaxMs)
end

letPass(meta)

-- An aggregate has waited for as long as that of it which has waited longest.
local waits = {}
for i = 8, #KEYS do
  local anchor = ARGV[6 * (i - 8) + 11]
  if anchor ~= '' then waits[anchor] = math.max(waits[anchor] or 0, waitedFor(string.sub(KEYS[i], fieldStart))) end
end

-- It has a place already, or waits for its tenant's turn.
local function isDirtyAgain(anchor)
  return redis.call('ZSCORE', order, anchor) or redis.call('ZSCORE', retries, anchor)
end

local letters, letterCount = {}, 0
local parts = {}
for i = 8, #KEYS do
  local at = 6 * (i - 8) + 6
  local part = {
    key = KEYS[i], field = string.sub(KEYS[i], fieldStart),
    fate = ARGV[at], letter = ARGV[at + 2], row = ARGV[at + 3], reason = ARGV[at + 4],
    anchor = ARGV[at + 5] ~= '' and ARGV[at + 5] or nil,
  }
  -- As of before this call: a row's record that is put back below is no newer than its counters.
  local row = part.row ~= '' and redis.call('HGET', dirty, part.row)
  part.newerRow = row and kindOf(row)
  if part.fate == 'wait' then
    part.waits = part.anchor and waits[part.anchor] or waitedFor(part.letter)
    if part.waits > tonumber(ARGV[at + 1]) then part.fate = 'dead' end
  end
  if part.fate == 'dead' and part.anchor and isDirtyAgain(part.anchor) then part.fate = 'again' end
  if part.fate == 'dead' and not letters[part.letter] then
    letters[part.letter] = part.reason
    if not redis.call('ZSCORE', dead, part.letter) then letterCount = letterCount + 1 end
  end
  parts[#parts + 1] = part
end
if letterCount > 0 and redis.call('ZCARD', dead) + letterCount > deadMax then return {'full'} end

-- Before it nothing of the record was accepted that is not in the database. A batch of records that waited
-- has no such version of its own.
local function sinceOf(field)
  return string.match(redis.call('HGET', waiting, field) or '', '^%d+ %d+ (%d+)$') or since
end

-- One that was written meanwhile may wait for its turn.
local function addPlace(field)
  if redis.call('ZSCORE', retries, field) then return end
  redis.call('ZADD', order, 'LT', sinceOf(field), field)
end

-- It is tried again at the next multiple of a step, which grows with the time that it has waited: so those
-- that refer to each other are tried together, whenever each has begun to wait. Only a row and its counters,
-- or an aggregate, have the same time: the others stand before it, 1 µs each.
local stepMinUs, stepMaxUs = 20000, 320000
local function retryAt(waitedMs)
  local step = stepMinUs
  while step < stepMaxUs and step * 4 <= waitedMs * 1000 do step = step * 2 end
  local at = (math.floor(now / step) + 1) * step
  local first = redis.call('ZRANGEBYSCORE', retries, text(at - retryTogetherUs), text(at), 'WITHSCORES', 'LIMIT', 0, 1)[2]
  return freePlace(retries, first and tonumber(first) - 1 or at)
end

local function waitUntil(at, field, waitedMs)
  redis.call('HSET', waiting, field, table.concat({text(waitedMs), text(now), sinceOf(field)}, ' '))
  redis.call('ZADD', retries, at, field)
  redis.call('ZREM', order, field)
end

-- What is put back of an aggregate has its place once all of that is known.
local aggregates = {}
local function join(part)
  local aggregate = aggregates[part.anchor] or {isWaiting = part.fate == 'wait', waits = part.waits, since = since}
  aggregates[part.anchor] = aggregate
  local own = sinceOf(part.field)
  if tonumber(own) < tonumber(aggregate.since) then aggregate.since = own end
  aggregate[#aggregate + 1] = part.field
end

local function place(part)
  if part.anchor then join(part)
  elseif part.fate == 'wait' then waitUntil(retryAt(part.waits), part.field, part.waits)
  else addPlace(part.field) end
end

-- Takes what there is of it out of the order, or of what waits, and returns its place there.
local function takeOut(key, anchor, aggregate)
  local known = redis.call('ZSCORE', key, anchor)
  if not known then return nil end
  for _, field in ipairs(redis.call('ZRANGEBYSCORE', key, known, known)) do
    if field ~= anchor then aggregate[#aggregate + 1] = field end
  end
  redis.call('ZREMRANGEBYSCORE', key, known, known)
  return known
end

-- [FB-AGGREGATE] What has become dirty of it since has a place already: all of it goes where the rest does.
local function placeAggregate(anchor, aggregate)
  local known = takeOut(order, anchor, aggregate)
  takeOut(retries, anchor, aggregate)
  if aggregate.isWaiting then
    local at = retryAt(aggregate.waits)
    for _, field in ipairs(aggregate) do waitUntil(at, field, aggregate.waits) end
    redis.call('ZADD', retries, at, anchor)
  else
    local at = freePlace(order, math.min(tonumber(aggregate.since), tonumber(known or aggregate.since)))
    for _, field in ipairs(aggregate) do redis.call('ZADD', order, at, field) end
    redis.call('ZADD', order, at, anchor)
  end
end

-- What is dirty is newer and takes its place; a deletion that was to come before it still has to.
local function mergeRecord(part, record, newer)
  if kindOf(newer) == PUT and kindOf(record) ~= PUT then
    redis.call('HSET', dirty, part.field, REPLACE .. string.sub(newer, 2))
  end
  place(part)
end

local function putBack(part, record)
  redis.call('HSET', dirty, part.field, record)
  bytes = bytes + #record
  place(part)
end

-- But a delta that was added since may wait for its tenant's turn.
local function endWait(field)
  local place = redis.call('ZSCORE', retries, field)
  if not place then redis.call('HDEL', waiting, field)
  elseif tonumber(place) < 0 then redis.call('HSET', waiting, field, turnMark(place)) end
end

local made = {}
local function bury(part, record, isCounter)
  local letter = dead .. ':' .. part.letter
  if isCounter then redis.call('HINCRBY', letter, part.field, record) else redis.call('HSET', letter, part.field, record) end
  if not made[part.letter] then
    made[part.letter] = true
    made[#made + 1] = part.letter
    -- A delta joins the letter that there is of its row, and leaves it its reason.
    redis.call(isCounter and 'HSETNX' or 'HSET', letter, '', letters[part.letter])
    if part.anchor then redis.call('HSET', letter, ANCHOR, part.anchor) end
    if isCounter then redis.call('ZADD', dead, 'NX', text(now), part.letter)
    else redis.call('ZADD', dead, text(now), part.letter) end
  end
  local known, own = redis.call('HGET', letter, SINCE), sinceOf(part.field)
  if not known or tonumber(own) < tonumber(known) then redis.call('HSET', letter, SINCE, own) end
  endWait(part.field)
  redis.call('DEL', part.key)
end

local function takeRecord(part, record)
  local newer = redis.call('HGET', dirty, part.field)
  if newer then mergeRecord(part, record, newer)
  elseif part.fate == 'dead' then bury(part, record, false)
  else putBack(part, record) end
end

-- [FB-ROW-FIRST] A delta never comes before what is dirty of its row, which may make the row anew: it waits
-- as long as that, or that takes the place before it. False: nothing of the row is dirty.
local function followRow(part)
  if part.row == '' or part.anchor then return false end
  local due = redis.call('ZSCORE', retries, part.row)
  if due then
    local waited = string.match(redis.call('HGET', waiting, part.row) or '0 0 ', '^%d+ %d+ ')
    redis.call('HSET', waiting, part.field, waited .. sinceOf(part.field))
    redis.call('ZADD', retries, due, part.field)
    redis.call('ZREM', order, part.field)
    return true
  end
  if not redis.call('ZSCORE', order, part.row) then return false end
  addPlace(part.field)
  local place = tonumber(redis.call('ZSCORE', order, part.field))
  redis.call('ZADD', order, 'LT', text(place - 1), part.row)
  return true
end

-- What was added since goes on by itself; else nothing of the counter waits any more.
local function endDelta(part)
  if redis.call('HEXISTS', dirty, part.field) == 1 then return followRow(part) end
  redis.call('HDEL', waiting, part.field)
end

-- [FB-WATERMARK] A deletion takes the place of the deltas that end with it: they are as good as persisted
-- only once that is.
local function inheritPlace(part)
  if not redis.call('ZSCORE', order, part.row) then return end
  redis.call('ZADD', order, 'LT', sinceOf(part.field), part.row)
end

-- A delta goes where its row's record goes, or follows what is dirty of that row. It ends with a row that is
-- deleted or made anew meanwhile.
local function takeCounter(part, record)
  if part.newerRow == DELETE or part.newerRow == REPLACE then
    if part.anchor then join(part) else inheritPlace(part) end
    return endDelta(part)
  end
  if part.fate == 'dead' and not part.newerRow then return bury(part, record, true) end
  if part.fate == 'drop' and not part.newerRow then
    redis.call('DEL', part.key)
    return endDelta(part)
  end
  redis.call('HINCRBY', dirty, part.field, record)
  if not followRow(part) then place(part) end
end

for _, part in ipairs(parts) do
  local record = redis.call('HGET', sealed, part.field)
  if record then
    redis.call('HDEL', sealed, part.field)
    if isDelta(record) then takeCounter(part, record) else takeRecord(part, record) end
  elseif part.fate == 'dead' then
    redis.call('DEL', part.key)
  elseif part.row ~= '' and redis.call('HEXISTS', dirty, part.field) == 1 then
    -- Added since the batch was sealed, so after the record of its row.
    followRow(part)
  end
end

for anchor, aggregate in pairs(aggregates) do placeAggregate(anchor, aggregate) end

-- [FB-NEW-NUMBER] What is left stands under another number.
local rest = redis.call('HLEN', sealed)
local nextNumber = text(nextNumber(known[2], now))
redis.call('HSET', meta, 'batch', nextNumber, 'bytes', bytes, 'due', text(now), 'dead', redis.call('ZCARD', dead))
redis.call('HDEL', meta, 'failures')
if rest > 0 then
  redis.call('HSET', meta, 'sealed', nextNumber)
else
  redis.call('HDEL', meta, 'sealed', 'since')
  announce(meta, order, waiting, channel, lane)
end
return {'split', rest, unpack(made)}
