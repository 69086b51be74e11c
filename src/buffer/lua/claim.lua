-- claim: what is pending of records whose entries were missed; where nothing is, the lease to fill.
--
-- KEYS[1]  meta    hash: partitions, ...
-- KEYS[2]  dirty   hash: field -> dirty record
-- KEYS[3]  sealed  hash: field -> record of the sealed batch
-- KEYS[4+] entries the entry's key of each record
-- ARGV[1]  fieldStart  where the field begins in an entry's key (1-based)
-- ARGV[2]  token       the caller's, for the leases that it gets, or has
-- ARGV[3]  leaseMs     how long a lease holds; one that the caller has, from now on
-- ARGV[4]  ttlMs       life of an entry that is put back
-- ARGV[5]  partitions  what the caller knows of the number of lanes
-- returns  one for each entry: {'value', record} when it is pending, or filled meanwhile; {'lease'} when the
--          caller may fill; {'wait', ms} when somebody else may, for so long at most, and then wakes those
--          who wait; {'refused', words} when Redis takes no writes, and so grants no lease; {'closed'} when
--          the lane is, which grants none either; or {'moved'}, all of them: the number of lanes is another
--
-- Atomic because the look at the pending record and the grant of the lease must see one state: a write
-- between them would be overwritten by the fill.
local meta, dirty, sealed = KEYS[1], KEYS[2], KEYS[3]
local fieldStart, token, leaseMs, ttlMs, partitions = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local standing = standingOf(redis.call('HGET', meta, 'partitions'), partitions)
local isOpen = standing == 'open'

local replies = {}
for i = 4, #KEYS do
  local key = KEYS[i]
  local field = string.sub(key, fieldStart)
  local record = redis.call('HGET', dirty, field) or redis.call('HGET', sealed, field)
  if standing == 'moved' then
    replies[i - 3] = {'moved'}
  elseif record then
    -- Where that is refused, the next reader finds the record in the lane again.
    if isOpen then redis.pcall('SET', key, record, 'PX', ttlMs) end
    replies[i - 3] = {'value', record}
  else
    replies[i - 3] = {claimEntry(key, token, leaseMs, not isOpen)}
  end
end
return replies
