-- inspect: a lane's state at one moment.
--
-- KEYS[1] meta    hash: version, generation, past, since, persisted, batches, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- KEYS[3] dirty   hash: field -> dirty record
-- KEYS[4] sealed  hash: field -> record of the sealed batch
-- KEYS[5] dead    sorted set: the dead letters' fields -> when (µs) they were refused
-- KEYS[6] waiting hash: field -> for how long the record waits for what it refers to, when it was tried, and
--                 the version before which nothing of it was accepted
-- KEYS[7] retries sorted set: field -> when (µs) a record that waits is tried next; or its turnPlace
-- ARGV[1] upTo    the version that who asks is about: whether something waits that was accepted up to it; 0:
--                 nobody asks
-- returns {version, oldest, dirty, sealed, persisted, batches, now, dead, waiting, generation, past, since}:
--         the last accepted version or '0'; the version at which the oldest unpersisted record became dirty
--         that does not wait, or ''; numbers of records; records and batches persisted so far; the server's
--         time in µs; the numbers of dead letters and of records that wait; the lane's generation or ''; the
--         past ones, and up to which version each survived; the version before which nothing that waits was
--         accepted, or another one up to upTo at which something was. '': nobody asks
--
-- Atomic because a batch sealed between two looks would hide its records from both.
local meta, order, dirty, sealed, dead, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local retries, upTo = KEYS[7], tonumber(ARGV[1])
local chunkSize = 1000

local known = redis.call('HMGET', meta, 'version', 'since', 'persisted', 'batches', 'generation', 'past')
-- A batch of records that had waited is no older than what was written last.
local oldest = math.min(tonumber(known[2]) or math.huge, oldestVersion(order) or math.huge)

local function oldestOf(fields, since)
  for first = 1, #fields, chunkSize do
    local chunk = {unpack(fields, first, math.min(first + chunkSize - 1, #fields))}
    for _, mark in ipairs(redis.call('HMGET', waiting, unpack(chunk))) do
      if mark then since = math.min(since, tonumber(string.match(mark, '^%d+ %d+ (%d+)$')) or 0) end
    end
  end
  return since
end

-- Those that wait for their tenant's turn stand by their versions, so one look at them is enough.
local function waitsSince()
  if upTo == 0 then return '' end
  local since = (tonumber(known[1]) or 0) + 1
  local turn = redis.call('ZRANGEBYSCORE', retries, '-inf', '(0', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if turn then since = math.min(since, turnVersion(turn)) end
  if since > upTo then since = oldestOf(redis.call('HKEYS', sealed), since) end
  if since > upTo then since = oldestOf(redis.call('ZRANGEBYSCORE', retries, 0, '+inf'), since) end
  return text(since)
end

return {
  known[1] or '0',
  oldest < math.huge and text(oldest) or '',
  redis.call('HLEN', dirty),
  redis.call('HLEN', sealed),
  tonumber(known[3]) or 0,
  tonumber(known[4]) or 0,
  text(serverUs()),
  redis.call('ZCARD', dead),
  redis.call('HLEN', waiting),
  known[5] or '',
  known[6] or '',
  waitsSince(),
}
