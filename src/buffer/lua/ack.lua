-- ack: drops the sealed batch that was applied, and announces what is persisted now.
--
-- KEYS[1] meta    hash: version, sealed, since, persisted, batches, ...
-- KEYS[2] order   sorted set: field -> the version at which the record became dirty
-- KEYS[3] sealed  hash: field -> record of the sealed batch
-- KEYS[4] waiting hash: field -> for how long the record waits for what it refers to
-- ARGV[1] number   the batch's number
-- ARGV[2] channel  where to announce it
-- ARGV[3] lane     the lane's name, for the announcement
-- returns 1, or 0 when the sealed batch is not (or no longer) the one with this number
--
-- Atomic because a late worker must not drop the batch that its successor has sealed meanwhile.
local meta, order, sealed, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local number, channel, lane = ARGV[1], ARGV[2], ARGV[3]

-- [FB-ACK-NUMBER]
if redis.call('HGET', meta, 'sealed') ~= number then return 0 end
letPass(meta)
redis.call('HINCRBY', meta, 'persisted', redis.call('HLEN', sealed))
redis.call('HINCRBY', meta, 'batches', 1)
if redis.call('EXISTS', waiting) == 1 then
  for _, field in ipairs(redis.call('HKEYS', sealed)) do redis.call('HDEL', waiting, field) end
end
redis.call('UNLINK', sealed)
redis.call('HDEL', meta, 'sealed', 'since', 'failures')
announce(meta, order, waiting, channel, lane)
return 1
