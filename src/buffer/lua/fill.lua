-- fill: puts loaded values into the cache, where the caller's lease still stands.
--
-- KEYS[1+] entries the entry's key of each value
-- ARGV[1]  token   the lease token that recall was called with
-- ARGV[2+] values  two for each entry: ttlMs, content
-- returns  how many were filled
--
-- Atomic because the lease stands in the entry itself: between the comparison and the SET no write may
-- come. A write, a delete, an eviction or an expiry has replaced or removed the lease: no lease, no fill.
local token = ARGV[1]
local filled = 0
for i = 1, #KEYS do
  local key, ttlMs, content = KEYS[i], ARGV[2 * i], ARGV[2 * i + 1]
  if redis.call('GET', key) == '?' .. token then
    redis.call('SET', key, content, 'PX', ttlMs)
    filled = filled + 1
  end
end
return filled
