-- letters: of write.lua: what a newer write does to the dead letter of its record, and a delete to the deltas
-- of its row.

-- What a patch or an update comes on top of, where nothing is pending: a dead record of the same release. Its
-- columns are tried with it.
local function deadRecord(i, release)
  local record = hasDead and redis.call('HGET', dead .. ':' .. letterFieldOf(i), fields[i])
  return record and string.match(record, '^[PR]%d+|([^;^{]*)') == release and record
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
