-- find: all that a lane knows of one field, at one moment.
--
-- KEYS[1] meta    hash: version, generation, batch, sealed, failures, persisted, batches, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- KEYS[3] dirty   hash: field -> dirty record
-- KEYS[4] sealed  hash: field -> record of the sealed batch
-- KEYS[5] dead    sorted set: the dead letters' fields -> when (µs) they were refused
-- KEYS[6] waiting hash: field -> for how long the record waits for what it refers to
-- KEYS[7] retries sorted set: field -> when (µs) a record that waits is tried next
-- KEYS[8] letter  hash: the field's own dead letter: field -> record, and '' -> the error
-- KEYS[9] rowLetter hash: that of the row in which a counter lives: its deltas may be there; else the same
-- KEYS[10] entry  the field's
-- ARGV[1] field    the record's or counter's
-- ARGV[2] rowField that of the row
-- returns {now, version, generation, batch, sealedBatch, failures, entry, ttlMs, dirty, place, sealed,
--         waiting, retryAt, refusedAt, error, buried}: the server's time in µs; the lane's last version, its
--         generation, its last batch, that which is sealed, and how often that has failed; the entry and how
--         long it lives in ms (below 0: there is none); the dirty record and when it became dirty; the sealed
--         one; how it waits and when it is tried; the dead letter, its error, and what it holds of the field.
--         '' where there is none
--
-- Atomic because a record that moves on between two looks would be seen in both places, or in none.
local meta, order, dirty, sealed, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local waiting, retries, letter, rowLetter, entry = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local field, rowField = ARGV[1], ARGV[2]

local function scoreOf(set, member)
  local score = redis.call('ZSCORE', set, member)
  return score and text(tonumber(score)) or ''
end

local lane = redis.call('HMGET', meta, 'version', 'generation', 'batch', 'sealed', 'failures')
local refusedAt, buried = scoreOf(dead, field), redis.call('HMGET', letter, '', field)
if refusedAt == '' and redis.call('HEXISTS', rowLetter, field) == 1 then
  refusedAt, buried = scoreOf(dead, rowField), redis.call('HMGET', rowLetter, '', field)
end
return {
  text(serverUs()),
  lane[1] or '0',
  lane[2] or '',
  lane[3] or '',
  lane[4] or '',
  lane[5] or '0',
  redis.call('GET', entry) or '',
  redis.call('PTTL', entry),
  redis.call('HGET', dirty, field) or '',
  scoreOf(order, field),
  redis.call('HGET', sealed, field) or '',
  redis.call('HGET', waiting, field) or '',
  scoreOf(retries, field),
  refusedAt,
  buried[1] or '',
  buried[2] or '',
}
