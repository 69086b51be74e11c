-- prelude: stands in front of the lane's scripts: what records and entries look like, and what several steps
-- do alike.
--
-- PUT            kind of a record: the row is written
-- DELETE         kind of a record: the row is deleted
-- REPLACE        kind of a record: the row is deleted and made anew
-- SINCE          a dead letter's part that is no field: the version before which nothing of the letter was
--                accepted. What is dirty again takes that place, so that it counts as not persisted
-- ANCHOR         another one, of an aggregate's letter: its anchor, see anchorOf in write
-- kindOf         a record's kind; '' when there is none
-- isDelta        whether what stands in a lane is a counter's delta, a plain integer, rather than a record of
--                a row
-- versionIn      the version in a record or in an entry of a row; nil when there is none
-- leaseIn        the holder of the lease that stands in an entry, and the mark that somebody waits for it or
--                ''; nil when there is no lease
-- claimEntry     looks at a missed entry of which nothing is pending, and takes its lease where that is free:
--                'value' and the entry; 'lease' and '', of one that the caller has for leaseMs from now on;
--                'wait' and ms, when somebody else has it, or token is ''; 'refused' and Redis's words;
--                'closed' and '', when the lane is
-- letPass        a write that takes no memory: after it Redis lets a script's other writes pass, though its
--                memory is full
-- freePlace      a place in the order, or among what waits, that nothing else has: at, or one before it. What
--                is dirty of an aggregate has one place, and so has its anchor
-- retryTogetherUs what is tried again at times that are no further apart than this, is tried together
-- turnPlace      where a record stands among what waits that waits for nothing but its tenant's turn, by the
--                version at which it became dirty: below 0, where no time is
-- turnVersion    that version, of such a place
-- turnMark       how a record waits that has such a place
-- oldestVersion  the version at which the oldest dirty record became dirty; nil when nothing is dirty
-- surviving      a lane's past generations as text, `<generation> <version>;` for each, with one more: what
--                it has accepted up to that version is known to have survived. Only the latest are kept
-- renewed        begins a new generation of the lane, and returns it. lastVersion: up to which what the old
--                one has accepted survived
-- generationOf   the lane's generation; a new one when Redis is not the server that it was (it was started
--                again, or a replica took its place), has lost the lane, or is older than the caller knows.
--                To be called before a version is given. generation, version: those of the lane, as it has
--                them; knownVersion: the last that the caller knows of, or 0
-- standingOf     how a lane stands to a caller who knows of a number of lanes: 'open'; 'closed', when it is
--                being changed; 'moved', when the caller's number is another. partitions: the lane's, as it
--                has it, or false; mark: the caller's
-- announce       tells up to which version the lane is persisted, when nothing is sealed; in which
--                generation, and how many records wait and how many dead letters there are, whatever their
--                versions
local PUT, DELETE, REPLACE = 'P', 'D', 'R'
local SINCE, ANCHOR = 'since', 'anchor'

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

local function claimEntry(key, token, leaseMs, isClosed)
  local entry = redis.call('GET', key)
  local holder, waitMark = leaseIn(entry)
  if entry and not holder then return 'value', entry end
  if isClosed then return 'closed', '' end
  if not entry and token == '' then return 'wait', 0 end
  if holder == token then
    redis.call('PEXPIRE', key, leaseMs)
    return 'lease', ''
  end
  local reply
  if not entry then
    reply = redis.pcall('SET', key, '?' .. token, 'PX', leaseMs)
  elseif waitMark == '' then
    reply = redis.pcall('SET', key, '?' .. holder .. ';w', 'KEEPTTL')
  end
  if type(reply) == 'table' and reply.err then return 'refused', reply.err end
  if not entry then return 'lease', '' end
  return 'wait', redis.call('PTTL', key)
end

local function letPass(meta)
  redis.call('HDEL', meta, '')
end

-- [FB-AGGREGATE]
local function freePlace(order, at)
  local place = tonumber(at)
  while redis.call('ZCOUNT', order, text(place), text(place)) > 0 do place = place - 1 end
  return text(place)
end

local retryTogetherUs = 5000

local exactMax = 2 ^ 53

local function turnPlace(version)
  return text(tonumber(version) - exactMax)
end

local function turnVersion(place)
  return tonumber(place) + exactMax
end

local function turnMark(place)
  return '0 0 ' .. text(turnVersion(place))
end

local function oldestVersion(order)
  return tonumber(redis.call('ZRANGE', order, 0, 0, 'WITHSCORES')[2])
end

local pastMax = 16

local function surviving(past, generation, version)
  local others, count = '', 1
  for other, last in string.gmatch(past or '', '([^ ;]+) (%d+);') do
    if other == generation then
      if tonumber(last) > tonumber(version) then version = last end
    elseif count < pastMax then
      others, count = others .. other .. ' ' .. last .. ';', count + 1
    end
  end
  return generation .. ' ' .. version .. ';' .. others
end

local function renewed(meta, history, lastVersion)
  local known = redis.call('HMGET', meta, 'generation', 'past')
  local generation = history .. '.' .. text(serverUs())
  redis.call('HSET', meta, 'generation', generation)
  if known[1] then redis.call('HSET', meta, 'past', surviving(known[2], known[1], lastVersion)) end
  return generation
end

-- [FB-GENERATION]
local function generationOf(meta, generation, version, knownVersion)
  -- Where a server does not tell, only what the caller knows counts.
  local info = redis.pcall('INFO', 'replication')
  local history = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or ''
  local isSame = generation and string.sub(generation, 1, #history) == history
  if isSame and (tonumber(version) or 0) >= tonumber(knownVersion) then return generation end
  return renewed(meta, history, version or '0')
end

-- [FB-LANES]
local function standingOf(partitions, mark)
  if not partitions then return string.find(mark, '^%d+$') and 'open' or 'moved' end
  if partitions == string.match(mark, '^[^!]*') then return 'open' end
  local isClosed = string.find(partitions, ' closed', 1, true)
  local isSame = string.match(partitions, '^%d+') == string.match(mark, '^%d+')
  return isClosed and isSame and 'closed' or 'moved'
end

local function announce(meta, order, waiting, channel, lane)
  local oldest = oldestVersion(order)
  local known = redis.call('HMGET', meta, 'version', 'generation', 'dead')
  local watermark = oldest and text(oldest - 1) or known[1] or '0'
  local waitingCount = redis.call('HLEN', waiting)
  local generation, dead = known[2] or '', known[3] or '0'
  redis.call('PUBLISH', channel, table.concat({lane, watermark, generation, waitingCount, dead}, ' '))
end
