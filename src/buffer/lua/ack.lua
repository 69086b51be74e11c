-- ack: drops the sealed batch that was applied, and announces what is persisted now.
--
-- KEYS[1] meta    hash: version, sealed, since, persisted, batches, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- KEYS[3] dirty   hash: field -> dirty record
-- KEYS[4] sealed  hash: field -> record of the sealed batch
-- KEYS[5] waiting hash: field -> for how long the record waits for what it refers to
-- KEYS[6] retries sorted set: field -> when (µs) a record that waits is tried next; or its turnPlace
-- KEYS[7] foreign set: the fields of pending records whose rows another writer has changed
-- ARGV[1] number      the batch's number
-- ARGV[2] channel     where to announce it
-- ARGV[3] lane        the lane's name, for the announcement
-- ARGV[4] entryPrefix what entries' keys begin with
-- returns 1, or 0 when the sealed batch is not (or no longer) the one with this number
--
-- Atomic because a late worker must not drop the batch that its successor has sealed meanwhile.
local meta, order, dirty, sealed, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local retries, foreign = KEYS[6], KEYS[7]
local number, channel, lane, entryPrefix = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local chunkSize = 100

-- What readers have put back of it may lack the other writer's change. What is dirty again is put back again.
local function dropForeign()
  for _, field in ipairs(redis.call('HKEYS', sealed)) do
    if redis.call('HEXISTS', dirty, field) == 0 and redis.call('SREM', foreign, field) == 1 then
      redis.call('DEL', entryPrefix .. field)
    end
  end
end

-- Of those that were written meanwhile and wait for their tenant's turn again, that alone waits which was.
local function endWaiting(fields)
  for first = 1, #fields, chunkSize do
    local chunk, ended = {unpack(fields, first, math.min(first + chunkSize - 1, #fields))}, {}
    for i, place in ipairs(redis.call('ZMSCORE', retries, unpack(chunk))) do
      if not place then ended[#ended + 1] = chunk[i]
      elseif tonumber(place) < 0 then redis.call('HSET', waiting, chunk[i], turnMark(place)) end
    end
    if #ended > 0 then redis.call('HDEL', waiting, unpack(ended)) end
  end
end

-- [FB-ACK-NUMBER]
if redis.call('HGET', meta, 'sealed') ~= number then return 0 end
letPass(meta)
redis.call('HINCRBY', meta, 'persisted', redis.call('HLEN', sealed))
redis.call('HINCRBY', meta, 'batches', 1)
if redis.call('EXISTS', waiting) == 1 then
  endWaiting(redis.call('HKEYS', sealed))
end
if redis.call('EXISTS', foreign) == 1 then dropForeign() end
redis.call('UNLINK', sealed)
redis.call('HDEL', meta, 'sealed', 'since', 'failures')
announce(meta, order, waiting, channel, lane)
return 1
