-- count-reads: adds counts of reads to a store's, in which older reads count less: half after each half-life.
--
-- KEYS[1] reads  sorted set: id -> decayed count, as of the landmark
-- KEYS[2] since  string: the landmark, in ms since 1970, and the half-life that the counts have, in ms.
--                Without it they mean nothing
-- ARGV[1] halfLifeMs  after so long a read counts half
-- ARGV[2] idsMax      most ids that are kept: the coldest go
-- ARGV[3] ttlMs       life of both keys after their last use
-- ARGV[4+] counts     two for each id: the id, and its reads
-- returns the number of ids that are kept
--
-- Forward decay: a read counts 2^(half-lives since the landmark), so no other count has to change (Cormode,
-- Shkapenyuk, Srivastava, Xu: "Forward decay: a practical time decay model for streaming systems", ICDE
-- 2009). The landmark is moved to now before the numbers get too large, when the half-life has changed, and
-- when the clock was set back.
--
-- Atomic because the counts and their landmark must change together.
local reads, since = KEYS[1], KEYS[2]
local halfLifeMs, idsMax, ttlMs = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local halfLivesMax = 64

local now = serverMs()
local landmark, countsHalfLifeMs = string.match(redis.call('GET', since) or '', '^(%d+) (%d+)$')
landmark, countsHalfLifeMs = tonumber(landmark), tonumber(countsHalfLifeMs)
if not landmark then
  redis.call('DEL', reads)
  landmark, countsHalfLifeMs = now, halfLifeMs
end
local halfLives = (now - landmark) / countsHalfLifeMs
if halfLives > halfLivesMax or halfLives < 0 or countsHalfLifeMs ~= halfLifeMs then
  redis.call('ZUNIONSTORE', reads, 1, reads, 'WEIGHTS', string.format('%.17g', 2 ^ -math.max(halfLives, 0)))
  landmark, halfLives = now, 0
end

local gain = 2 ^ halfLives
for i = 4, #ARGV, 2 do
  redis.call('ZINCRBY', reads, string.format('%.17g', tonumber(ARGV[i + 1]) * gain), ARGV[i])
end
local count = redis.call('ZCARD', reads)
if count > idsMax then
  redis.call('ZREMRANGEBYRANK', reads, 0, count - idsMax - 1)
  count = idsMax
end
redis.call('PEXPIRE', reads, ttlMs)
redis.call('SET', since, text(landmark) .. ' ' .. text(halfLifeMs), 'PX', ttlMs)
return count
