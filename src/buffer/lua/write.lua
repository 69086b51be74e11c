-- write: accepts writes of one lane: the records are dirty, and the entries that stand are changed.
--
-- KEYS[1]  meta    hash: version, generation, partitions, bytes, due, dead, ...
-- KEYS[2]  order   sorted set: field -> the version at which the record became dirty; and the anchors of
--                  aggregates, each at the place of all that is dirty of it
-- KEYS[3]  dirty   hash: field -> dirty record
-- KEYS[4]  sealed  hash: field -> record of the sealed batch
-- KEYS[5]  dead    sorted set: the dead letters' fields -> when (µs) they were refused; each letter is a
--                  hash under this key, a colon and the field
-- KEYS[6]  waiting hash: field -> for how long the record waits for what it refers to, when it was tried, and
--                  the version before which nothing of it was accepted
-- KEYS[7]  retries sorted set: field -> when (µs) a record that waits is tried next
-- KEYS[8]  round   hash: tenant -> how many records of it have become dirty since the order was sealed last
-- KEYS[9+] entries the entry's key of each write
-- ARGV[1]  fieldStart  where the field begins in an entry's key (1-based)
-- ARGV[2]  dirtyMax    most dirty records in the lane
-- ARGV[3]  bytesMax    most bytes of dirty records in the lane
-- ARGV[4]  delayMs     how old the first dirty record must be to be flushed
-- ARGV[5]  knownVersion the last version of the lane that the caller knows of; 0: none
-- ARGV[6]  partitions  the number of lanes that the caller knows of; refused when the lane was given another
-- ARGV[7] cacheOnWrite 1 when each write makes an entry; else 0: only where one stands, or a lease
-- ARGV[8] ttlMs        life of a row's entry
-- ARGV[9] absentTtlMs  life of an entry of a row that is deleted
-- ARGV[10] letters     one for each entry, what is done; its payload is
--            p  put: the row's JSON. Before it stands what it leaves of a row that is there, in a
--                    mark, ;!field,~field; these it takes from what is pending or in the entry, else from the
--                    lines at its end
--            i  put-if: the version that the record must have, '|', and the row's JSON. An update's has
--                    a mark before it, ;+field,field: what it changes of a row that is there
--            c  patch: as an update's without its JSON, release;+name,title; then a line for each
--                    field that it changes, ,"name":"x". A conflict where the row is not known here
--            d  delete: empty, or the version that the record must have
--            a  add: the delta, an integer; where it counts in a record's row, '|' and the field of
--                    the record
--            f  forget: empty. Drops the deltas of a deleted row's counter; belongs to the delete
--                    before it
--            t  together: the number of the writes that follow and belong together: all are accepted,
--                    or none is. Its entry's key is that of the first
-- ARGV[11] share        most records of one tenant that take a place in the order from one batch to the next,
--                      where that is crowded; 0: the store has no tenants
-- ARGV[12] crowdedAt    how many places the order has then
-- ARGV[13+] payloads   one for each entry. Where the store has tenants, behind them: for each entry its
--                      tenant. Where records are committed by aggregates, behind those: for each entry an
--                      anchor, the sign @ and the field of the row that it belongs to; then for each what its
--                      store says, cacheOnWrite, ttlMs and absentTtlMs
-- returns  {wake, generation, version, reply, ...}: wake is 1 when the caller must add a wake-up job; the
--          lane's generation; the version of the first accepted write; a reply for each write: how much
--          greater its version is, or 'full', or 'overflow', or 'conflict' with the
--          record's version after a blank, where that is known; or 'partitions', all of them: the number of
--          lanes is being changed, or was. Of a forget: that of its delete. Of a together: that of the first
--          of its writes; where one is refused, that of each is why
--
-- Its parts are in write/, behind it: places, entries, letters, rows, counters, writes.
--
-- Atomic because the dirty record, the entry, its place in the order and the wake-up mark must change
-- together: a crash between two of them would lose the write or serve one that is never persisted.
local meta, order, dirty, sealed, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local waiting, retries, round = KEYS[6], KEYS[7], KEYS[8]
local fieldStart, dirtyMax, bytesMax, delayMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local knownVersion, partitions, cacheOnWrite = ARGV[5], ARGV[6], ARGV[7]
local ttlMs, absentTtlMs, letters = ARGV[8], ARGV[9], ARGV[10]
local share, crowdedAt = tonumber(ARGV[11]), tonumber(ARGV[12])

local now = serverUs()
local known = redis.call('HMGET', meta, 'version', 'due', 'bytes', 'dead', 'generation', 'partitions')
local generation = generationOf(meta, known[5], known[1], knownVersion)
local nextVersion = nextNumber(known[1], now)
local dirtyCount = redis.call('HLEN', dirty)
local bytes = tonumber(known[3]) or 0
local hasDead = (tonumber(known[4]) or 0) > 0
local accepted = 0
local firstVersion = nextVersion
local replies = {0, generation, text(firstVersion)}

if standingOf(known[6], partitions) ~= 'open' then
  for i = 9, #KEYS do replies[i - 5] = 'partitions' end
  return replies
end

local writeCount = #KEYS - 8
local tenantCount = #KEYS - 8
if share == 0 then tenantCount = 0 end
local fields = {}
for i = 9, #KEYS do fields[i] = string.sub(KEYS[i], fieldStart) end

local function anchorOf(i)
  return ARGV[i + 4 + writeCount + tenantCount]
end

-- Of the dead letter that the record would be in: an aggregate's is that of its root.
local function letterFieldOf(i)
  local anchor = anchorOf(i)
  return anchor and string.sub(anchor, 2) or fields[i]
end

local function opOf(i)
  return string.sub(letters, i - 8, i - 8)
end

-- What is dirty, as of the write that is looked at: field -> record. One look and one change for all
-- writes of the call, for each costs Redis more than the record does.
local records = {}
for at, record in ipairs(redis.call('HMGET', dirty, unpack(fields, 9, #KEYS))) do records[fields[at + 8]] = record end
local lastWrite, written, places = {}, {}, {}
local hasRetries = redis.call('EXISTS', retries) == 1
local hasSealed = redis.call('EXISTS', sealed) == 1

-- [FB-NO-BACK] What is dirty is newer than what is sealed, which is newer than an entry can be.
local function pendingOf(i)
  return records[fields[i]] or hasSealed and redis.call('HGET', sealed, fields[i])
end

-- By the letter of what is done: what keeps it out, with nothing changed; and what does it, which returns the
-- write's version, or why it is not accepted.
local checks, ops = {}, {}
