-- prelude: stands in front of the lane's scripts: what records and entries look like, and what several steps do alike.
--
-- PUT            kind of a record: the row is written
-- DELETE         kind of a record: the row is deleted
-- REPLACE        kind of a record: the row is deleted and made anew
-- kindOf         a record's kind; '' when there is none
-- isDelta        whether what stands in a lane is a counter's delta, a plain integer, rather than a record of a row
-- versionIn      the version in a record or in an entry of a row; nil when there is none
-- leaseIn        the holder of the lease that stands in an entry, and the mark that somebody waits for it or ''; nil when
--                there is no lease
-- leaseText      the content of an entry that is leased, and nobody waits for
-- awaitedText    the same when somebody waits
-- letPass        a write that takes no memory: after it Redis lets a script's other writes pass, though its memory is full
-- oldestVersion  the version at which the oldest dirty record became dirty; nil when nothing is dirty
-- announce       tells up to which version the lane is persisted, when nothing is sealed
local PUT, DELETE, REPLACE = 'P', 'D', 'R'

local function kindOf(record)
  return record and string.sub(record, 1, 1) or ''
end

local function isDelta(content)
  return string.find(content, '^[-%d]') ~= nil
end

local function versionIn(content)
  return string.match(content, '^[PDR](%d+)|')
end

local function leaseIn(entry)
  return string.match(entry or '', '^%?([^;]*)(;?w?)$')
end

local function leaseText(holder)
  return '?' .. holder
end

local function awaitedText(holder)
  return '?' .. holder .. ';w'
end

local function letPass(meta)
  redis.call('HDEL', meta, '')
end

local function oldestVersion(order)
  return tonumber(redis.call('ZRANGE', order, 0, 0, 'WITHSCORES')[2])
end

local function announce(meta, order, channel, lane)
  local oldest = oldestVersion(order)
  local watermark = oldest and text(oldest - 1) or redis.call('HGET', meta, 'version')
  redis.call('PUBLISH', channel, lane .. ' ' .. watermark)
end
