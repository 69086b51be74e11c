-- raise: compares a lane with the ledger, and lifts its batch number to the ledger's where Redis has lost
-- batches that were applied.
--
-- KEYS[1] meta   hash: version, batch, generation, past, ...
-- ARGV[1] floor             the number of the last batch in the ledger; 0: none
-- ARGV[2] ledgerGeneration  the generation of the lane that this batch was sealed in; ''
-- ARGV[3] persisted         the version up to which everything of that generation is in the database; '': not
--                           known
-- ARGV[4] cleared           the generation in which the lane was found behind, when its entries were
--                           dropped since; else ''
-- returns {'even', generation}: it has lost nothing, or was lifted; or {'behind', generation, number}: it has
--         lost batches, and is to be cleared. Its own number, '0' when it has none
--
-- Atomic because [FB-RAISE] the number must only ever grow.
local meta, floor, ledgerGeneration, persisted, cleared = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]

letPass(meta)
local known = redis.call('HMGET', meta, 'version', 'batch', 'generation')
local generation = generationOf(meta, known[3], known[1], 0)
local version, number = known[1] or '0', known[2] or '0'
local isBehind = tonumber(number) < tonumber(floor)

-- What the ledger has of another generation survived, also where Redis has lost it.
if ledgerGeneration ~= '' and persisted ~= '' and ledgerGeneration ~= generation then
  redis.call('HSET', meta, 'past', surviving(redis.call('HGET', meta, 'past'), ledgerGeneration, persisted))
  if tonumber(persisted) > tonumber(version) then redis.call('HSET', meta, 'version', persisted) end
end
if not isBehind then return {'even', generation} end
-- Redis may have gone back again, with the entries, since they were dropped.
if cleared ~= generation then return {'behind', generation, number} end

-- The server tells nothing of it: the lane was restored. Up to its last batch it has what it had.
if ledgerGeneration == generation then
  local lastVersion = math.max(math.min(tonumber(number), tonumber(version)), tonumber(persisted) or 0)
  generation = renewed(meta, string.match(generation, '^%x*'), text(lastVersion))
  redis.call('HSET', meta, 'version', text(math.max(tonumber(version), lastVersion)))
end
redis.call('HSET', meta, 'batch', floor)
return {'even', generation}
