-- claim: asks for the right to fill an entry: its lease.
--
-- KEYS[1] entry  string: what is no value and no lease counts as nothing
-- ARGV[1] token    the caller's, new for each claim, but for a lease that it has
-- ARGV[2] leaseMs  how long the lease holds; one that the caller has, from now on
-- ARGV[3] seen     id of the value that the caller finds too old; '' when it saw none; '*' whatever stands
--                  there; '!' whatever stands there, and the lease covers nothing: the caller is about to
--                  write
-- returns {'lease', content} when the caller may fill; {'wait', content, ms} when somebody else may, for so
--         long at most; {'value', content} when there is a value that the caller has not seen. content: the
--         value that stands there, or that the lease covers; '' when there is none
--
-- Atomic because of any number of callers only one may get the lease, and because the value that it covers
-- must be the one that stood there.
local entry = KEYS[1]
local token, leaseMs, seen = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local now = serverMs()

-- [FC-ONE-LEASE] [FC-REVOKE] It takes the entry's own place: who writes that, revokes it.
local function lease(covered, waitMark)
  local content = '?' .. token .. ';' .. text(now + leaseMs) .. ';' .. waitMark .. '|' .. covered
  if covered == '' then
    redis.call('SET', entry, content, 'PX', leaseMs)
  else
    redis.call('SET', entry, content, 'KEEPTTL')
  end
  return {'lease', covered}
end

local content = redis.call('GET', entry)
if not content or seen == '!' then return lease('', '') end

if not isLease(content) then
  local id = string.match(content, '^V([^;]*);')
  local isForeign = not id and not string.find(content, '^%-?%d+$')
  if isForeign then return lease('', '') end
  if seen == '*' or id == seen then return lease(content, '') end
  return {'value', content}
end

local holder, untilMs, waitMark, covered = string.match(content, '^%?([^;]*);(%d+);(w?)|(.*)$')
local leftMs = (tonumber(untilMs) or 0) - now
if seen == '*' or not holder or holder == token or leftMs <= 0 then return lease(covered or '', waitMark or '') end
if waitMark == '' then
  redis.call('SET', entry, '?' .. holder .. ';' .. untilMs .. ';w|' .. covered, 'KEEPTTL')
end
return {'wait', covered, leftMs}
