-- recall-counter: the pending deltas of counters whose entries were missed, with the batch numbers that
-- tell which of them the database has already; and the lease to fill.
--
-- KEYS[1]  meta    hash: batch (last number), sealed (number of the sealed batch)
-- KEYS[2]  dirty   hash: field -> dirty record
-- KEYS[3]  sealed  hash: field -> record of the sealed batch
-- KEYS[4+] entries the entry's key of each counter
-- ARGV[1]  fieldStart    where the field begins in an entry's key (1-based)
-- ARGV[2]  token         the caller's lease token
-- ARGV[3]  leaseMs       how long the lease holds
-- ARGV[4+] recordFields  for each counter the field of the record it is a column of, or ''
-- returns  {batch, sealed, then six for each counter: entry, lease, dirty delta, sealed delta,
--           kind of the dirty record, kind of the sealed record}
--          batch and sealed: a number as text, or ''; entry: the cached value or ''; lease: the token of whoever
--          may fill, and who then wakes those who wait; '' where there is an entry;
--          deltas: integers or ''; kinds: 'P', 'D', 'R' or ''
--
-- Atomic because deltas and batch numbers must be those of one moment: a batch sealed or acknowledged
-- between two looks would be counted twice or not at all.
local meta, dirty, sealed = KEYS[1], KEYS[2], KEYS[3]
local fieldStart, token, leaseMs = tonumber(ARGV[1]), ARGV[2], ARGV[3]

local numbers = redis.call('HMGET', meta, 'batch', 'sealed')
local replies = {numbers[1] or '', numbers[2] or ''}
local function reply(value) replies[#replies + 1] = value end

for i = 4, #KEYS do
  local key, recordField = KEYS[i], ARGV[i]
  local field = string.sub(key, fieldStart)
  local entry = redis.call('GET', key)
  local holder, waitMark = leaseIn(entry)
  if not entry then
    redis.call('SET', key, leaseText(token), 'PX', leaseMs)
    holder = token
  elseif holder and holder ~= token and waitMark == '' then
    redis.call('SET', key, awaitedText(holder), 'KEEPTTL')
  end
  reply(holder and '' or entry)
  reply(holder or '')
  reply(redis.call('HGET', dirty, field) or '')
  reply(redis.call('HGET', sealed, field) or '')
  reply(recordField ~= '' and kindOf(redis.call('HGET', dirty, recordField)) or '')
  reply(recordField ~= '' and kindOf(redis.call('HGET', sealed, recordField)) or '')
end
return replies
