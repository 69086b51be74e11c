-- raise: lifts a lane's batch number to the ledger's, where Redis has lost batches that were applied.
--
-- KEYS[1] meta   hash: batch, ...
-- ARGV[1] floor  the number of the last batch in the ledger
-- returns the lane's own number before, '0' when it had none; or '' when it was not behind
--
-- Atomic because the number must only ever grow, and because of any number of workers one tells of the loss.
local meta, floor = KEYS[1], ARGV[1]

local number = redis.call('HGET', meta, 'batch') or '0'
if tonumber(number) >= tonumber(floor) then return '' end
letPass(meta)
redis.call('HSET', meta, 'batch', floor)
return number
