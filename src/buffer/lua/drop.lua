-- drop: removes the entries of records whose rows another program has written: the next reader loads those.
--
-- KEYS[1+] entries  the entry's key of each record
-- ARGV[1+] versions the version of each record that was overtaken
-- returns  how many were removed
--
-- Atomic because an entry with another version is a newer write's, or was loaded since, and must stay.
local dropped = 0
for i = 1, #KEYS do
  local key, version = KEYS[i], ARGV[i]
  local entry = redis.call('GET', key)
  if entry and versionIn(entry) == version then dropped = dropped + redis.call('DEL', key) end
end
return dropped
