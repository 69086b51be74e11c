-- writes: of write.lua: accepts each write or says why not, then changes the lane by all of them at once.

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
