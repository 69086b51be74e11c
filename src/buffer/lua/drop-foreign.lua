-- drop-foreign: removes the entries of rows that another writer has changed: a load that is under way fills
-- none of them any more, and the next reader loads. Of a row with a pending record readers put that back, so
-- its entry is dropped once more when that is acknowledged.
--
-- KEYS[1]  meta    hash: partitions, ...
-- KEYS[2]  dirty   hash: field -> dirty record
-- KEYS[3]  sealed  hash: field -> record of the sealed batch
-- KEYS[4]  foreign set: the fields of pending records whose rows another writer has changed
-- KEYS[5+] entries the entry's key of each row and counter
-- ARGV[1]  fieldStart  where the field begins in an entry's key (1-based)
-- ARGV[2]  partitions  what the caller knows of the number of lanes
-- returns  how many of them are pending, without counters; -1: the number of lanes is another, and nothing
--          was done
--
-- Atomic because the look at what is pending and the removal must see one state: a batch that is acknowledged
-- in between would leave its entry.
local meta, dirty, sealed, foreign = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local fieldStart, partitions = tonumber(ARGV[1]), ARGV[2]

if standingOf(redis.call('HGET', meta, 'partitions'), partitions) == 'moved' then return -1 end

local pending = 0
for i = 5, #KEYS do
  local key = KEYS[i]
  local field = string.sub(key, fieldStart)
  local record = redis.call('HGET', dirty, field) or redis.call('HGET', sealed, field)
  redis.call('DEL', key)
  if record and not isDelta(record) then
    redis.call('SADD', foreign, field)
    pending = pending + 1
  end
end
return pending
