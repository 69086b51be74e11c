-- counters: of write.lua: what is added to a counter.

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
