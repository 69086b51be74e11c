-- inspect: a lane's state at one moment.
--
-- KEYS[1] meta    hash: version, generation, past, since, persisted, batches, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- KEYS[3] dirty   hash: field -> dirty record
-- KEYS[4] sealed  hash: field -> record of the sealed batch
-- KEYS[5] dead    sorted set: the dead letters' fields -> when (µs) they were refused
-- KEYS[6] waiting hash: field -> for how long the record waits for what it refers to
-- returns {version, oldest, dirty, sealed, persisted, batches, now, dead, waiting, generation, past}: the
--         last accepted version or '0'; the version at which the oldest unpersisted record became dirty that
--         does not wait, or ''; numbers of records; records and batches persisted so far; the server's time
--         in µs; the numbers of dead letters and of records that wait; the lane's generation or ''; the past
--         ones, and up to which version each survived
--
-- Atomic because a batch sealed between two looks would hide its records from both.
local meta, order, dirty, sealed, dead, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

local known = redis.call('HMGET', meta, 'version', 'since', 'persisted', 'batches', 'generation', 'past')
-- A batch of records that had waited is no older than what was written last.
local oldest = math.min(tonumber(known[2]) or math.huge, oldestVersion(order) or math.huge)
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
}
