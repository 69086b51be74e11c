-- replay: makes the records of a dead letter dirty again, as if they were written now.
--
-- KEYS[1] meta    hash: version, generation, due, bytes, dead, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- KEYS[3] dirty   hash: field -> dirty record
-- KEYS[4] dead    sorted set: the dead letters' fields -> when (µs) they were refused
-- KEYS[5] waiting hash: field -> for how long the record waits for what it refers to, when it was tried, and
--                 the version before which nothing of it was accepted
-- KEYS[6] retries sorted set: field -> when (µs) a record that waits is tried next
-- KEYS[7] letter  hash: field -> record, '' -> the error, SINCE, ANCHOR
-- ARGV[1] field        the letter's field
-- ARGV[2] at           when it was refused (µs)
-- ARGV[3] entryPrefix  what the entries' keys begin with
-- ARGV[4] delayMs      how old the first dirty record must be to be flushed
-- returns 0 when there is no such letter (any more), 1 when it is replayed, 2 when the caller must add a
--         wake-up job besides
--
-- Atomic because a write that comes in between must find the letter or the dirty record, to supersede it.
local meta, order, dirty, dead, waiting, retries, letter = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local field, at, entryPrefix, delayMs = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local refusedAt = tonumber(redis.call('ZSCORE', dead, field))
if not refusedAt or text(refusedAt) ~= at then return 0 end
local now = serverUs()
local known = redis.call('HMGET', meta, 'version', 'due', 'bytes', 'generation')
generationOf(meta, known[4], known[1], 0)
local version = text(nextNumber(known[1], now))
local bytes = tonumber(known[3]) or 0

-- There is no newer record of the field: its write would have ended the letter.
local parts, since = redis.call('HGETALL', letter), redis.call('HGET', letter, SINCE) or version
-- [FB-AGGREGATE] Of an aggregate nothing else is dirty, for the same reason.
local anchor = redis.call('HGET', letter, ANCHOR)
if anchor then
  since = freePlace(order, since)
  redis.call('ZADD', order, since, anchor)
end
for i = 1, #parts, 2 do
  local part, record = parts[i], parts[i + 1]
  if part ~= '' and part ~= SINCE and part ~= ANCHOR then
    if isDelta(record) then
      redis.call('HINCRBY', dirty, part, record)
    else
      local renewed = string.gsub(record, '^(%a)%d+', '%1' .. version, 1)
      redis.call('HSET', dirty, part, renewed)
      bytes = bytes + #renewed
    end
    -- A delta may have been added since, which waits for its turn: it goes with that.
    local waited, own = string.match(redis.call('HGET', waiting, part) or '', '^(%d+ %d+ )(%d+)$')
    if not redis.call('ZSCORE', retries, part) then
      redis.call('ZADD', order, 'LT', since, part)
    elseif tonumber(since) < tonumber(own) then
      redis.call('HSET', waiting, part, waited .. since)
    end
    redis.call('DEL', entryPrefix .. part)
  end
end
redis.call('UNLINK', letter)
redis.call('ZREM', dead, field)
redis.call('HSET', meta, 'version', version, 'bytes', bytes, 'dead', redis.call('ZCARD', dead))
if known[2] then return 1 end
redis.call('HSET', meta, 'due', text(now + delayMs * 1000))
return 2
