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

-- What is dirty, as of the write that is looked at: field -> record. One look and one change for all
-- writes of the call, for each costs Redis more than the record does.
local records = {}
for at, record in ipairs(redis.call('HMGET', dirty, unpack(fields, 9, #KEYS))) do records[fields[at + 8]] = record end
local lastWrite, written, places = {}, {}, {}

-- [FB-SHARE] A record that becomes dirty, of a tenant that has had its share of a crowded order: it waits, so
-- that it holds back nobody else's, and half of the lane is kept free of such.
local late, counts, placeCount = {}, {}, nil
local function isLate(i)
  if share == 0 then return false end
  if late[i] == nil then
    local tenant = ARGV[i + 4 + writeCount]
    local count = (counts[tenant] or tonumber(redis.call('HGET', round, tenant)) or 0) + 1
    counts[tenant] = count
    placeCount = placeCount or redis.call('ZCARD', order)
    local isCrowded = count > share and placeCount + #places / 2 >= crowdedAt
    -- What supersedes a dead letter takes its place.
    late[i] = isCrowded and not (hasDead and redis.call('ZSCORE', dead, letterFieldOf(i)))
  end
  return late[i]
end

local function isFullFor(count, mustWait)
  local part = mustWait and 0.5 or 1
  return count > 0 and (dirtyCount + count > dirtyMax * part or bytes >= bytesMax * part)
end

-- Up to which write it was looked whether there is room.
local checkedUpTo = 0
local function isFull(i)
  return i > checkedUpTo and not records[fields[i]] and isFullFor(1, isLate(i))
end

local hasRetries = redis.call('EXISTS', retries) == 1
local hasSealed = redis.call('EXISTS', sealed) == 1

-- A field waits as another does, or as it did itself. Before since nothing of it was accepted, unless what
-- waits of it already, or is sealed, is older.
local function waitAs(other, field, since)
  local waited = string.match(redis.call('HGET', waiting, other) or '0 0 ', '^%d+ %d+ ')
  local own = string.match(redis.call('HGET', waiting, field) or '', '%d+$')
    or hasSealed and redis.call('HEXISTS', sealed, field) == 1 and redis.call('HGET', meta, 'since') or since
  redis.call('HSET', waiting, field, waited .. (tonumber(own) < tonumber(since) and own or since))
end

-- It waits for nothing but the turn of those who wait: its time has come.
local function placeLate(field, version, anchor)
  waitAs(field, field, version)
  local at = freePlace(retries, version)
  redis.call('ZADD', retries, at, field)
  if anchor then redis.call('ZADD', retries, at, anchor) end
  hasRetries = true
end

-- [FB-AGGREGATE] What is dirty of an aggregate has one place, so that a batch has all of it; or it waits as a
-- whole. What becomes dirty of it joins that.
local joined = {}
local function joinAggregate(anchor, field, version, mustWait)
  local due = redis.call('ZSCORE', retries, anchor)
  if not due and mustWait and not joined[anchor] and not redis.call('ZSCORE', order, anchor) then
    return placeLate(field, version, anchor)
  end
  if due then
    local others = redis.call('ZRANGEBYSCORE', retries, due, due, 'LIMIT', 0, 2)
    local other = others[1] == anchor and others[2] or others[1]
    waitAs(other, field, version)
    redis.call('ZADD', retries, due, field)
    return
  end
  local aggregate = joined[anchor] or {at = version, anchor}
  if tonumber(version) < tonumber(aggregate.at) then aggregate.at = version end
  aggregate[#aggregate + 1] = field
  joined[anchor] = aggregate
end

local function placeJoined()
  for anchor, aggregate in pairs(joined) do
    local place = redis.call('ZSCORE', order, anchor) or freePlace(order, aggregate.at)
    for _, member in ipairs(aggregate) do places[#places + 1], places[#places + 2] = place, member end
  end
end

-- [FB-PLACE] What becomes dirty takes the next place.
local function setRecord(i, record, version)
  local field = fields[i]
  if not records[field] then
    local anchor = anchorOf(i)
    if anchor then
      joinAggregate(anchor, field, version, isLate(i))
    elseif isLate(i) then
      placeLate(field, version)
    else
      places[#places + 1], places[#places + 2] = version, field
    end
    dirtyCount = dirtyCount + 1
  end
  bytes = bytes + #record - #(records[field] or '')
  records[field] = record
  if not lastWrite[field] then written[#written + 1] = field end
  lastWrite[field] = i
end

local function opOf(i)
  return string.sub(letters, i - 8, i - 8)
end

-- [FB-ENTRY] It is changed where one stands, for somebody reads it, or where a lease does, which ends. It is
-- made for an update, which has read the row. Else the dirty record is the one copy: readers find it in the
-- lane.
local function writeEntry(i, isThere)
  local key, record = KEYS[i], records[fields[i]]
  local isDelete = kindOf(record) == DELETE
  local cacheOnWrite, ttlMs, absentTtlMs = cacheOnWrite, ttlMs, absentTtlMs
  if anchorOf(i) then cacheOnWrite, ttlMs, absentTtlMs = string.match(ARGV[i + 4 + 2 * writeCount + tenantCount], '(%d) (%d+) (%d+)') end
  if cacheOnWrite == '1' or opOf(i) == 'i' then
    redis.call('SET', key, record, 'PX', isDelete and absentTtlMs or ttlMs)
  elseif isThere and isDelete then
    redis.call('SET', key, record, 'XX', 'PX', absentTtlMs)
  elseif isThere then
    redis.call('SET', key, record, 'XX', 'KEEPTTL')
  end
end

local function addToEntry(key, delta)
  local entry = redis.call('GET', key)
  if not entry then return end
  if not string.find(entry, '^%-?%d+$') or type(redis.pcall('INCRBY', key, delta)) ~= 'number' then
    redis.call('DEL', key)
  end
end

local ops = {}

-- A put over a pending delete is a replacement: the row is deleted and made anew.
local function accept(i, version, payload)
  local field = fields[i]
  if isFull(i) then return 'full' end
  local pending = kindOf(records[field])
  local kind = (pending == DELETE or pending == REPLACE) and REPLACE or PUT
  setRecord(i, kind .. version .. '|' .. payload, version)
  return version
end

-- [FB-NO-BACK] What is dirty is newer than what is sealed, which is newer than an entry can be.
local function pendingOf(i)
  return records[fields[i]] or hasSealed and redis.call('HGET', sealed, fields[i])
end

local function versionOf(i)
  local record = pendingOf(i) or redis.call('GET', KEYS[i])
  return record and versionIn(record)
end

-- A put has the fields that it leaves as the row has them, where that is known. Those that something pending
-- writes it writes too, for it takes the place of that.
local function withLeft(payload, i)
  local release, names, start = string.match(payload, '^([^{;]*);!([^{^]*)%^?(){')
  if not release then return payload end
  local waiting = pendingOf(i)
  local found = waiting or redis.call('GET', KEYS[i])
  local mark = string.match(found or '', '^[PR]%d+|([^{]*)')
  if not mark then return payload end
  local sign, others = string.match(mark, ';([+!])([^^]*)')
  local lines, known, left = linesOf(found, string.sub(mark, -1) == '^', names), {}, {}
  if not next(lines) then return payload end
  for name in string.gmatch(names, '[^,]+') do
    local field = string.gsub(name, '~', '')
    local isWritten = waiting and (not sign or isNamed(field, others) == (sign == '+'))
    if not (lines[field] and isWritten) then left[#left + 1] = name end
    known[#known + 1] = lines[field] or lineOf(payload, field)
  end
  local body = string.sub(payload, start, (tailAt(payload) or #payload) - 1)
  local head = release .. (#left > 0 and ';!' .. table.concat(left, ',') or '')
  return table.concat({head, '^', body, '\n\n', table.concat(known, '\n'), '\n}'})
end

function ops.p(i, version, payload)
  return accept(i, version, withLeft(payload, i))
end

local checks = {}

local function conflictWith(i, version)
  local found = versionOf(i)
  if found ~= version then return found and 'conflict ' .. found or 'conflict' end
end

function checks.i(i, payload)
  return conflictWith(i, string.match(payload, '^%d*'))
end

-- What a patch or an update comes on top of, where nothing is pending: a dead record of the same release. Its
-- columns are tried with it.
local function deadRecord(i, release)
  local record = hasDead and redis.call('HGET', dead .. ':' .. letterFieldOf(i), fields[i])
  return record and string.match(record, '^[PR]%d+|([^;^{]*)') == release and record
end

function ops.i(i, version, payload)
  local conflict = checks.i(i, payload)
  if conflict then return conflict end
  local own = string.match(payload, '^%d*|(.*)$')
  local updated = string.match(own, '^([^{;]*);%+')
  if not updated then return accept(i, version, withLeft(own, i)) end
  local waiting = pendingOf(i)
  local letter = not waiting and deadRecord(i, updated)
  return accept(i, version, letter and updatedRow(letter, own) or onTop(own, waiting))
end

-- Returns the row that it is of, too, and whether that is pending.
function checks.c(i, payload)
  local waiting = pendingOf(i)
  local found = waiting or redis.call('GET', KEYS[i])
  local foundVersion = found and versionIn(found)
  if not foundVersion then return 'conflict' end
  local release = string.match(found, '^[PR]%d+|([^;^{]*)')
  if release ~= string.match(payload, '^[^;\n]*') then return 'conflict ' .. foundVersion end
  return nil, found, waiting
end

function ops.c(i, version, payload)
  local conflict, found, waiting = checks.c(i, payload)
  if conflict then return conflict end
  local head, patch = string.match(payload, '^([^\n]*)\n(.*)$')
  local letter = not waiting and deadRecord(i, string.match(head, '^[^;]*'))
  return accept(i, version, patchedRow(letter or found, head, patch, waiting or letter))
end

function checks.d(i, payload)
  if payload ~= '' then return conflictWith(i, payload) end
end

function ops.d(i, version, payload)
  local conflict = checks.d(i, payload)
  if conflict then return conflict end
  if isFull(i) then return 'full' end
  setRecord(i, DELETE .. version .. '|', version)
  return version
end

-- [FB-ROW-FIRST] A delta comes after its row's record: it waits with one that waits, else it takes the next
-- place.
local function placeDelta(i, row, version)
  local field = fields[i]
  local due = hasRetries and row ~= '' and redis.call('ZSCORE', retries, row)
  if not due and isLate(i) and not (records[row] or redis.call('HEXISTS', dirty, row) == 1) then
    return placeLate(field, version)
  end
  if not due then return redis.call('ZADD', order, version, field) end
  waitAs(row, field, version)
  return redis.call('ZADD', retries, due, field)
end

-- Outside of an aggregate a counter's dead letter is its own or its row's.
local function addDelta(i, delta, row)
  local field, others = fields[i], {}
  if hasSealed then others[1] = redis.call('HGET', sealed, field) or nil end
  local letters = hasDead and {letterFieldOf(i), not anchorOf(i) and row or nil} or {}
  for _, name in ipairs(letters) do others[#others + 1] = redis.call('HGET', dead .. ':' .. name, field) or nil end
  if #others == 0 then return addTo(dirty, field, delta) end
  return addWith(dirty, field, delta, others)
end

-- It is added, and what there was is put back.
function checks.a(i, payload)
  local field = fields[i]
  local before = redis.call('HGET', dirty, field)
  if not addDelta(i, string.match(payload, '^([^|]+)|?(.*)$')) then return 'overflow' end
  if before then redis.call('HSET', dirty, field, before) else redis.call('HDEL', dirty, field) end
end

function ops.a(i, version, payload)
  local field = fields[i]
  if isFull(i) then return 'full' end
  local delta, row = string.match(payload, '^([^|]+)|?(.*)$')
  local sum = addDelta(i, delta, row)
  if not sum then return 'overflow' end
  if not records[field] then
    local anchor = anchorOf(i)
    if anchor then joinAggregate(anchor, field, version, isLate(i)) else placeDelta(i, row, version) end
    dirtyCount = dirtyCount + 1
  end
  records[field] = sum
  addToEntry(KEYS[i], delta)
  return version
end

local function unbury(counter, delta, entryKey)
  records[counter] = redis.call('HINCRBY', dirty, counter, delta)
  addToEntry(entryKey, delta)
end

local function endLetter(letterField)
  redis.call('UNLINK', dead .. ':' .. letterField)
  redis.call('ZREM', dead, letterField)
  redis.call('HINCRBY', meta, 'dead', -1)
end

-- A newer write of an aggregate brings back all of it that is dead: it is tried as a whole again. What this
-- call has written of it counts.
local function revive(i, anchor, version)
  local letterField = string.sub(anchor, 2)
  local letter = redis.call('HGETALL', dead .. ':' .. letterField)
  if #letter == 0 then return end
  local since = redis.call('HGET', dead .. ':' .. letterField, SINCE)
  local entryPrefix = string.sub(KEYS[i], 1, fieldStart - 1)
  for at = 1, #letter, 2 do
    local part, record = letter[at], letter[at + 1]
    local isRecord = part ~= '' and part ~= SINCE and part ~= ANCHOR
    local isNew = isRecord and not records[part]
    -- Also what this call has written: the letter is older.
    if isRecord then joinAggregate(anchor, part, since) end
    if isNew then dirtyCount = dirtyCount + 1 end
    if isRecord and isDelta(record) then
      unbury(part, record, entryPrefix .. part)
    elseif isNew then
      records[part] = string.gsub(record, '^(%a)%d+', '%1' .. version, 1)
      bytes = bytes + #records[part]
      redis.call('HSET', dirty, part, records[part])
      redis.call('DEL', entryPrefix .. part)
    end
  end
  endLetter(letterField)
end

-- A newer write of the same record ends a dead letter, and takes its place in the order. The deltas that it
-- holds back count, unless the row is deleted.
local function supersede(i, isPut, version)
  local field = fields[i]
  if not redis.call('ZSCORE', dead, field) then return end
  local letter = dead .. ':' .. field
  local since = redis.call('HGET', letter, SINCE) or version
  local parts = isPut and redis.call('HGETALL', letter) or {}
  for at = 1, #parts, 2 do
    local counter, delta = parts[at], parts[at + 1]
    if counter ~= SINCE and isDelta(delta) then
      unbury(counter, delta, string.sub(KEYS[i], 1, fieldStart - 1) .. counter)
      if redis.call('ZSCORE', retries, counter) then
        waitAs(counter, counter, since)
      else
        dirtyCount = dirtyCount + redis.call('ZADD', order, 'LT', since, counter)
      end
    end
  end
  if records[field] then places[#places + 1], places[#places + 2] = since, field end
  endLetter(field)
end

-- The delete takes the place of the deltas that end with it.
local function forget(i, row)
  local field = fields[i]
  if records[field] then
    -- Where it waits, they wait with it.
    local place = not redis.call('ZSCORE', retries, row)
      and (redis.call('ZSCORE', order, field) or string.match(redis.call('HGET', waiting, field) or '', '(%d+)$'))
    if place then places[#places + 1], places[#places + 2] = place, row end
    redis.call('HDEL', dirty, field)
    redis.call('ZREM', order, field)
    redis.call('ZREM', retries, field)
    redis.call('HDEL', waiting, field)
    records[field] = nil
    dirtyCount = dirtyCount - 1
  end
  redis.call('DEL', KEYS[i])
  if hasDead and not anchorOf(i) then supersede(i) end
end

-- Why the writes that belong together are refused: what keeps one of them out.
local function refusalOf(first, last)
  local newCount = 0
  for i = first, last do
    local op, payload = opOf(i), ARGV[i + 4]
    local refused = checks[op] and checks[op](i, payload)
    if refused then return refused end
    if op ~= 'f' and not records[fields[i]] then newCount = newCount + 1 end
  end
  return isFullFor(newCount, newCount > 0 and isLate(first)) and 'full' or nil
end

local deletedRow
local refused, refusedUpTo = nil, 0
for i = 9, #KEYS do
  local op = opOf(i)
  if i <= refusedUpTo then
    replies[i - 5] = refused
  elseif op == 't' then
    local last = i + tonumber(ARGV[i + 4])
    refused = refusalOf(i + 1, last)
    if refused then refusedUpTo = last else checkedUpTo = last end
    replies[i - 5] = refused or nextVersion - firstVersion
  elseif op == 'f' then
    if deletedRow then forget(i, deletedRow) end
    replies[i - 5] = replies[i - 6]
  else
    local version = text(nextVersion)
    local reply = ops[op](i, version, ARGV[i + 4])
    local isAccepted = reply == version
    if hasDead and isAccepted and anchorOf(i) then
      revive(i, anchorOf(i), version)
    elseif hasDead and isAccepted and op ~= 'a' then
      supersede(i, op ~= 'd', version)
    end
    deletedRow = op == 'd' and isAccepted and fields[i]
    replies[i - 5] = isAccepted and nextVersion - firstVersion or reply
    if isAccepted then
      nextVersion = nextVersion + 1
      accepted = accepted + 1
    end
  end
end

if #written > 0 then
  local changes, entries = {}, {}
  for at, field in ipairs(written) do
    changes[2 * at - 1], changes[2 * at] = field, records[field]
    local i = lastWrite[field]
    entries[at] = KEYS[i]
  end
  redis.call('HSET', dirty, unpack(changes))
  local isThere = redis.call('EXISTS', unpack(entries)) > 0
  for _, field in ipairs(written) do writeEntry(lastWrite[field], isThere) end
end
for tenant, count in pairs(counts) do redis.call('HSET', round, tenant, count) end
placeJoined()
if #places > 0 then redis.call('ZADD', order, 'LT', unpack(places)) end

if accepted > 0 then
  redis.call('HSET', meta, 'version', text(nextVersion - 1), 'bytes', bytes)
  -- [FB-WAKE] Nobody has promised to look at the lane: the caller does.
  if not known[2] then
    redis.call('HSET', meta, 'due', text(now + delayMs * 1000))
    replies[1] = 1
  end
end
return replies
