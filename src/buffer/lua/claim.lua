-- claim: what is pending of records whose entries were missed; where nothing is, the lease to fill.
--
-- KEYS[1]  dirty   hash: field -> dirty record
-- KEYS[2]  sealed  hash: field -> record of the sealed batch
-- KEYS[3+] entries the entry's key of each record
-- ARGV[1]  fieldStart  where the field begins in an entry's key (1-based)
-- ARGV[2]  token       the caller's, for the leases that it gets
-- ARGV[3]  leaseMs     how long a lease holds
-- ARGV[4]  ttlMs       life of an entry that is put back
-- returns  one for each entry: {'value', record} when it is pending, or filled meanwhile; {'lease'} when the
--          caller may fill; {'wait', ms} when somebody else may, for so long at most, and then wakes those
--          who wait
--
-- Atomic because the look at the pending record and the grant of the lease must see one state: a write
-- between them would be overwritten by the fill.
local dirty, sealed = KEYS[1], KEYS[2]
local fieldStart, token, leaseMs, ttlMs = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]

local function claim(key)
  local entry = redis.call('GET', key)
  if not entry then
    redis.call('SET', key, leaseText(token), 'PX', leaseMs)
    return {'lease'}
  end
  local holder, waitMark = leaseIn(entry)
  if not holder then return {'value', entry} end
  if waitMark == '' then redis.call('SET', key, awaitedText(holder), 'KEEPTTL') end
  return {'wait', redis.call('PTTL', key)}
end

local replies = {}
for i = 3, #KEYS do
  local key = KEYS[i]
  local field = string.sub(key, fieldStart)
  local record = redis.call('HGET', dirty, field) or redis.call('HGET', sealed, field)
  if record then
    redis.call('SET', key, record, 'PX', ttlMs)
    replies[i - 2] = {'value', record}
  else
    replies[i - 2] = claim(key)
  end
end
return replies
