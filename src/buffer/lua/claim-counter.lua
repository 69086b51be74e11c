-- claim-counter: the pending deltas of counters whose entries were missed, with the batch numbers that
-- tell which of them the database has already; and the lease to fill.
--
-- KEYS[1]  meta    hash: batch (last number), sealed (number of the sealed batch), partitions
-- KEYS[2]  dirty   hash: field -> dirty record
-- KEYS[3]  sealed  hash: field -> record of the sealed batch
-- KEYS[4+] entries the entry's key of each counter
-- ARGV[1]  fieldStart    where the field begins in an entry's key (1-based)
-- ARGV[2]  token         the caller's, for the leases that it gets or has; '': it wants none
-- ARGV[3]  leaseMs       how long a lease holds; one that the caller has, from now on
-- ARGV[4]  partitions    what the caller knows of the number of lanes
-- ARGV[5+] recordFields  for each counter the field of the record it is a column of, or ''
-- returns  {batch, sealed, then one for each counter: {kind, detail, dirty delta, sealed delta, kind of the
--           dirty record, kind of the sealed record}}
--          batch and sealed: a number as text, or ''; 'value' with the entry when it is cached by now;
--          'lease' with '' when the caller may fill; 'wait' with ms when somebody else may, for so long at
--          most, and then wakes those who wait; 'refused' with words when Redis takes no writes, and so
--          grants no lease; 'closed' when the lane is, which grants none either; 'moved', all of them, when
--          the number of lanes is another; deltas: integers or ''; kinds of records: 'P', 'D', 'R' or ''
--
-- Atomic because deltas and batch numbers must be those of one moment: a batch sealed or acknowledged
-- between two looks would be counted twice or not at all.
local meta, dirty, sealed = KEYS[1], KEYS[2], KEYS[3]
local fieldStart, token, leaseMs, partitions = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]

local numbers = redis.call('HMGET', meta, 'batch', 'sealed', 'partitions')
local standing = standingOf(numbers[3], partitions)

local replies = {numbers[1] or '', numbers[2] or ''}

for i = 4, #KEYS do
  local key, recordField = KEYS[i], ARGV[i + 1]
  local field = string.sub(key, fieldStart)
  local kind, detail = 'moved', ''
  if standing ~= 'moved' then kind, detail = claimEntry(key, token, leaseMs, standing == 'closed') end
  replies[i - 1] = {
    kind,
    detail,
    redis.call('HGET', dirty, field) or '',
    redis.call('HGET', sealed, field) or '',
    recordField ~= '' and kindOf(redis.call('HGET', dirty, recordField)) or '',
    recordField ~= '' and kindOf(redis.call('HGET', sealed, recordField)) or '',
  }
end
return replies
