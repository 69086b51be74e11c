-- rows: of write.lua: puts, puts on a condition, patches and deletes of a row.
local function versionOf(i)
  local record = pendingOf(i) or redis.call('GET', KEYS[i])
  return record and versionIn(record)
end

-- A put over a pending delete is a replacement: the row is deleted and made anew.
local function accept(i, version, payload)
  local field = fields[i]
  if isFull(i) then return 'full' end
  local pending = kindOf(records[field])
  local kind = (pending == DELETE or pending == REPLACE) and REPLACE or PUT
  setRecord(i, kind .. version .. '|' .. payload, version)
  return version
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

local function conflictWith(i, version)
  local found = versionOf(i)
  if found ~= version then return found and 'conflict ' .. found or 'conflict' end
end

function checks.i(i, payload)
  return conflictWith(i, string.match(payload, '^%d*'))
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
