-- places: of write.lua: which place what becomes dirty takes in the order; or that it waits. Whether there is
-- room.

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

-- A field waits as another does, or as it did itself. Before since nothing of it was accepted, unless what
-- waits of it already, or is sealed, is older.
local function waitAs(other, field, since)
  local waited = string.match(redis.call('HGET', waiting, other) or '0 0 ', '^%d+ %d+ ')
  local own = string.match(redis.call('HGET', waiting, field) or '', '%d+$')
    or hasSealed and redis.call('HEXISTS', sealed, field) == 1 and redis.call('HGET', meta, 'since') or since
  redis.call('HSET', waiting, field, waited .. (tonumber(own) < tonumber(since) and own or since))
end

-- It waits for nothing but its tenant's turn.
local function placeLate(field, version, anchor)
  waitAs(field, field, version)
  local at = freePlace(retries, turnPlace(version))
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
