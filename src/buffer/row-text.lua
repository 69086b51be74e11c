-- row-text: rows as texts, in front of write.lua alone. A row that waits is its release, a mark and its JSON:
-- of ;+ the fields that it writes, of ;! those that it leaves, one with ~ to the database. A patched row's
-- JSON ends with what was patched, a line each behind an empty one: of two members with one name the later
-- counts, and the lines alone are looked at again. A ^ before the first brace tells.
--
-- isNamed      whether a field is among the names of a mark
-- onTop        the payload of an update on top of what waits: it writes both what that does and what it
--              changes itself
-- patchedJson  a row's JSON with the lines of a patch
-- patchedRow   the payload of a patch, its head and its lines, of the row in a record, on top of what waits
-- tailAt       where the lines begin that a row's JSON ends with
-- lineOf       of these the one of a field
-- flat         a row's JSON with blanks for all that could be taken for a member of its own: as long as it
--              was
-- linesOf      these members of a row's JSON, each as a line of a patch. Once they are such lines they are
--              found at once
-- updatedRow   the payload of an update on top of a dead record: as a patch of that with what it changes
local function isNamed(name, names)
  return string.find(',' .. string.gsub(names, '~', '') .. ',', ',' .. name .. ',', 1, true) ~= nil
end

local function onTop(payload, waiting)
  local release, changed, json = string.match(payload, '^([^{;]*);%+([^{]*)(.*)$')
  local mark = changed and waiting and string.match(waiting, '^[PR]%d+|([^{^]*)')
  if not mark then return payload end
  local sign, names = string.match(mark, ';([+!])(.*)$')
  -- Of ';+' the fields that are written, of ';!' those that are not.
  local fields = sign == '+' and {changed} or {}
  for name in string.gmatch(names or '', '[^,]+') do
    local field = string.gsub(name, '~', '')
    if not isNamed(field, changed) then fields[#fields + 1] = name end
  end
  if #fields == 0 then return release .. json end
  return release .. ';' .. sign .. table.concat(fields, ',') .. json
end

local function patchedJson(json, isPatched, patch)
  local body, tail = string.sub(json, 1, -2), ''
  if isPatched then body, tail = string.match(json, '^(.*)\n\n(.*)\n}$') end
  local lines, places = {}, {}
  for line in string.gmatch(tail .. '\n' .. patch, '[^\n]+') do
    local name = string.match(line, '^(,".-[^\\]":)') or line
    if not places[name] then places[name] = #lines + 1 end
    lines[places[name]] = line
  end
  return body .. '\n\n' .. table.concat(lines, '\n') .. '\n}'
end

local function patchedRow(record, head, patch, waiting)
  local mark, json = string.match(record, '^[PR]%d+|[^;^{]*([^{]*)(.*)$')
  local row = onTop(head .. patchedJson(json, string.sub(mark, -1) == '^', patch), waiting)
  return (string.gsub(row, '{', '^{', 1))
end

local function tailAt(text)
  local at, following = nil, string.find(text, '\n\n', 1, true)
  while following do at, following = following, string.find(text, '\n\n', following + 1, true) end
  return at
end

local function lineOf(text, name)
  return string.match(text, '\n(,"' .. name .. '":[^\n]*)', tailAt(text))
end

local function flat(json)
  local function blank(text) return string.rep(' ', #text) end
  local body = string.gsub(' ' .. string.sub(json, 2), '\\.', '  ')
  body = string.gsub(body, '"[^"]*"', function(text) return (string.gsub(text, '[%[%]{},]', ' ')) end)
  return (string.gsub(string.gsub(body, '%b{}', blank), '%b[]', blank))
end

local function linesOf(record, isPatched, names)
  local lines, json, members = {}, nil, nil
  for name in string.gmatch(names, '[^,~]+') do
    lines[name] = isPatched and lineOf(record, name) or nil
    if not lines[name] then
      json = json or string.match(record, '{.*')
      members = members or flat(json)
      local first, last = string.find(members, '"' .. name .. '":[^,}\n]*')
      if first then lines[name] = ',' .. string.gsub(string.sub(json, first, last), '[\r\n]', ' ') end
    end
  end
  return lines
end

local function updatedRow(record, payload)
  local head, names = string.match(payload, '^([^{;]*;%+([^{]*))')
  local known, lines = linesOf(payload, false, names), {}
  for name in string.gmatch(names, '[^,]+') do lines[#lines + 1] = known[name] end
  return patchedRow(record, head, table.concat(lines, '\n'), record)
end
