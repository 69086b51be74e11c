-- drop-foreign: removes the entries of rows that another writer has changed: a load that is under way fills
-- none of them any more, and the next reader loads. Of a row with a pending record readers put that back, so
-- its entry is dropped once more when that is acknowledged.
--
-- KEYS[1]  dirty   hash: field -> dirty record
-- KEYS[2]  sealed  hash: field -> record of the sealed batch
-- KEYS[3]  foreign set: the fields of pending records whose rows another writer has changed
-- KEYS[4+] entries the entry's key of each row and counter
-- ARGV[1]  fieldStart  where the field begins in an entry's key (1-based)
-- returns  how many of them are pending, without counters
--
-- Atomic because the look at what is pending and the removal must see one state: a batch that is acknowledged
-- in between would leave its entry.
local dirty, sealed, foreign = KEYS[1], KEYS[2], KEYS[3]
local fieldStart = tonumber(ARGV[1])

local pending = 0
for i = 4, #KEYS do
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
