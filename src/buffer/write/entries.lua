-- entries: of write.lua: what a write does to the entry that readers find.

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
