-- release: gives a lease back without a value, and wakes those who wait for it.
--
-- KEYS[1] entry  string: what README.md says
-- ARGV[1] token    that the lease was claimed with
-- ARGV[2] channel  where waiting is ended
-- ARGV[3] name     what they wait for
-- ARGV[4] isRestored  1: the value that the lease covers stands again; 0: it is dropped
-- returns 1, or 0 when the lease is gone
--
-- Atomic because only the caller's own lease may be taken away, and the value that it covers must come back.
local entry = KEYS[1]
local token, channel, name, isRestored = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

redis.call('PUBLISH', channel, name)
local holder, covered = string.match(redis.call('GET', entry) or '', '^%?([^;]*);%d+;w?|(.*)$')
if holder ~= token then return 0 end
if covered == '' or isRestored == '0' then
  redis.call('DEL', entry)
else
  redis.call('SET', entry, covered, 'KEEPTTL')
end
return 1
