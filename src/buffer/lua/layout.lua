-- layout: how many lanes a store has, and the change of that: by whoever knows what stands there.
--
-- KEYS[1] layouts hash: store -> its layout as text
-- ARGV[1] store  the name of its group
-- ARGV[2] known  the layout that the caller knows of; '': none
-- ARGV[3] next   what it is to be, where that still stands; '': nothing, it is only looked at
-- returns {layout, now}: what stands there now, or ''; the server's time in µs
--
-- Atomic because of two changes, or of one and who undoes it, only one may be decided.
local layouts, store, known, next = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

local layout = redis.call('HGET', layouts, store) or ''
letPass(layouts)
if next ~= '' and layout == known then
  redis.call('HSET', layouts, store, next)
  layout = next
end
return {layout, text(serverUs())}
