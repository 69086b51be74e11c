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
-- ARGV[6+] fates      five for each entry: fate ('dead'; 'wait': dirty again, for a while; 'again': dirty
--                     again; 'drop': a delta that is dropped), for how many ms at most it waits, the field of
--                     its letter, the field of its row's record or '', the error
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

-- Time in which nobody tried does not count: the database was away, and so was what the record waits for.
local gapMaxMs = 1000
local function waitedFor(field)
  local known = redis.call('HGET', waiting, field)
  if not known then return 0 end
  local waitedMs, triedAt = string.match(known, '^(%d+) (%d+)')
  return tonumber(waitedMs) + math.min(math.max(now - tonumber(triedAt), 0) / 1000, gapMaxMs)
end

letPass(meta)

local letters, letterCount = {}, 0
local parts = {}
for i = 8, #KEYS do
  local at = 5 * (i - 8) + 6
  local part = {
    key = KEYS[i], field = string.sub(KEYS[i], fieldStart),
    fate = ARGV[at], letter = ARGV[at + 2], row = ARGV[at + 3], reason = ARGV[at + 4],
  }
  -- As of before this call: a row's record that is put back below is no newer than its counters.
  local row = part.row ~= '' and redis.call('HGET', dirty, part.row)
  part.newerRow = row and kindOf(row)
  if part.fate == 'wait' then
    part.waits = waitedFor(part.letter)
    if part.waits > tonumber(ARGV[at + 1]) then part.fate = 'dead' end
  end
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

local function addPlace(field)
  redis.call('ZADD', order, 'LT', sinceOf(field), field)
end

-- It is tried again after half of the time that it has waited, within these bounds.
local retryMinMs, retryMaxMs = 20, 500
local waits = 0
local function wait(part)
  -- Only a row and its counters have the same time: they are tried together.
  waits = waits + 1
  local retryMs = math.min(math.max(part.waits / 2, retryMinMs), retryMaxMs)
  redis.call('HSET', waiting, part.field, table.concat({text(part.waits), text(now), sinceOf(part.field)}, ' '))
  redis.call('ZADD', retries, text(now + retryMs * 1000 + waits), part.field)
  redis.call('ZREM', order, part.field)
end

-- What is dirty is newer and takes its place; a deletion that was to come before it still has to.
local function mergeRecord(part, record, newer)
  if kindOf(newer) == PUT and kindOf(record) ~= PUT then
    redis.call('HSET', dirty, part.field, REPLACE .. string.sub(newer, 2))
  end
  if part.fate == 'wait' then wait(part) else addPlace(part.field) end
end

local function putBack(part, record)
  redis.call('HSET', dirty, part.field, record)
  bytes = bytes + #record
  if part.fate == 'wait' then wait(part) else addPlace(part.field) end
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
    if isCounter then redis.call('ZADD', dead, 'NX', text(now), part.letter)
    else redis.call('ZADD', dead, text(now), part.letter) end
  end
  local known, own = redis.call('HGET', letter, SINCE), sinceOf(part.field)
  if not known or tonumber(own) < tonumber(known) then redis.call('HSET', letter, SINCE, own) end
  redis.call('HDEL', waiting, part.field)
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
  if part.row == '' then return false end
  local due = redis.call('ZSCORE', retries, part.row)
  if due then
    redis.call('HSET', waiting, part.field, redis.call('HGET', waiting, part.row))
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
    inheritPlace(part)
    return endDelta(part)
  end
  if part.fate == 'dead' and not part.newerRow then return bury(part, record, true) end
  if part.fate == 'drop' and not part.newerRow then
    redis.call('DEL', part.key)
    return endDelta(part)
  end
  redis.call('HINCRBY', dirty, part.field, record)
  if followRow(part) then return end
  if part.fate == 'wait' then wait(part) else addPlace(part.field) end
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
