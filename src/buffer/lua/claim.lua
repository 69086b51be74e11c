-- claim: what is pending of records whose entries were missed; where nothing is, the lease to fill.
--
-- KEYS[1]  dirty   hash: field -> dirty record
-- KEYS[2]  sealed  hash: field -> record of the sealed batch
-- KEYS[3+] entries the entry's key of each record
-- ARGV[1]  fieldStart  where the field begins in an entry's key (1-based)
-- ARGV[2]  token       the caller's, for the leases that it gets, or has
-- ARGV[3]  leaseMs     how long a lease holds; one that the caller has, from now on
-- ARGV[4]  ttlMs       life of an entry that is put back
-- returns  one for each entry: {'value', record} when it is pending, or filled meanwhile; {'lease'} when the
--          caller may fill; {'wait', ms} when somebody else may, for so long at most, and then wakes those
--          who wait; {'refused', words} when Redis takes no writes, and so grants no lease
--
-- Atomic because the look at the pending record and the grant of the lease must see one state: a write
-- between them would be overwritten by the fill.
local dirty, sealed = KEYS[1], KEYS[2]
local fieldStart, token, leaseMs, ttlMs = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]

local function claim(key)
  local entry = redis.call('GET', key)
  if not entry then
    local words = refusalOf('SET', key, leaseText(token), 'PX', leaseMs)
    return words and {'refused', words} or {'lease'}
  end
  local holder, waitMark = leaseIn(entry)
  if not holder then return {'value', entry} end
  if holder == token then
    redis.call('PEXPIRE', key, leaseMs)
    return {'lease'}
  end
  local words = waitMark == '' and refusalOf('SET', key, awaitedText(holder), 'KEEPTTL')
  if words then return {'refused', words} end
  return {'wait', redis.call('PTTL', key)}
end

local replies = {}
for i = 3, #KEYS do
  local key = KEYS[i]
  local field = string.sub(key, fieldStart)
  local record = redis.call('HGET', dirty, field) or redis.call('HGET', sealed, field)
  if record then
    -- Where that is refused, the next reader finds the record in the lane again.
    redis.pcall('SET', key, record, 'PX', ttlMs)
    replies[i - 2] = {'value', record}
  else
    replies[i - 2] = claim(key)
  end
end
return replies
