-- fence: takes a lane through a change of its store's number of lanes. Open, it takes writes by that number;
-- closed, what it holds goes to the database, and nothing is cached; moved, it holds nothing, and refuses all
-- who come by the number before.
--
-- KEYS[1] meta   hash: partitions, version, sealed, ...
-- KEYS[2] dirty  hash: field -> dirty record
-- KEYS[3] dead   sorted set: the dead letters' fields -> when (µs) they were refused
-- ARGV[1] step       'close', 'move' or 'open'
-- ARGV[2] partitions the number of lanes: before the change; of 'open' the one that is decided
-- ARGV[3] epoch      of the change; of 'open' that of what is decided
-- returns {reply, version}: 'done'; 'late' when the lane is in a later epoch; 'busy' when it holds what must
--         be in the database first; and the lane's last version, or '0'
--
-- Atomic because [FB-LANES] a write that comes in between would be left in a lane that nobody of the new
-- number looks at.
local meta, dirty, dead = KEYS[1], KEYS[2], KEYS[3]
local step, partitions, epoch = ARGV[1], ARGV[2], tonumber(ARGV[3])

letPass(meta)
local known = redis.call('HMGET', meta, 'partitions', 'version', 'sealed')
local version = known[2] or '0'
local own, ownEpoch, state = string.match(known[1] or '', '^(%d+)%.?(%d*) ?(%a*)$')
ownEpoch = tonumber(ownEpoch) or 0
local isEmpty = not known[3] and redis.call('EXISTS', dirty) == 0

local function set(number, suffix)
  redis.call('HSET', meta, 'partitions', number .. (epoch > 0 and '.' .. text(epoch) or '') .. suffix)
  return {'done', version}
end

if ownEpoch > epoch then return {'late', version} end
if step == 'open' then
  if own and own ~= partitions and not isEmpty then return {'busy', version} end
  if (tonumber(version) or 0) < epoch then
    version = text(epoch)
    redis.call('HSET', meta, 'version', version)
  end
  return set(partitions, '')
end
if ownEpoch == epoch and state == '' then return {'late', version} end
if step == 'close' then return set(own or partitions, state == 'moved' and ' moved' or ' closed') end
if ownEpoch < epoch then return {'late', version} end
if not isEmpty or redis.call('EXISTS', dead) == 1 then return {'busy', version} end
return set(own or partitions, ' moved')
