/**
 * Which rooms have a task due: one sorted set for all rooms, apart from theirs, so in a cluster it is not changed in one step with them. A room is entered
 * before a task is stored, and again after that. Each time its time changes, be it by next to nothing: so whoever was given the room finds that its mark does
 * not hold any more.
 */
const begin: string = String.raw`
local call, key = redis.call, KEYS[1]
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(score) return string.format('%.17g', score) end
`;

/** A room is due, by then at the latest. */
export const enter: string = String.raw`${begin}
local room, kind, at = ARGV[1], ARGV[2], tonumber(ARGV[3])
if kind == 'in' then at = now + at end
local known = tonumber(call('ZSCORE', key, room) or nil)
if known and at >= known then at = known - 1 / 2048 end
call('ZADD', key, text(at), room)
return ''
`;

export const take: string = String.raw`${begin}
local limit, lease, list = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
local function add(s) list[#list + 1] = #s .. ':' .. s end
local rooms = call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, limit)
-- No mark is used twice.
local mark = text(now + lease + (time[2] % 1000) / 1024)
for _, room in ipairs(rooms) do
  call('ZADD', key, mark, room)
  add(room)
  add(mark)
end
local first = call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
local next = first and tostring(math.max(0, math.ceil(tonumber(first) - now))) or ''
return #next .. ':' .. next .. #tostring(#rooms) .. ':' .. #rooms .. table.concat(list)
`;

export const looked: string = String.raw`${begin}
local room, mark, next = ARGV[1], ARGV[2], ARGV[3]
if call('ZSCORE', key, room) ~= mark then return '' end
if next == '' then call('ZREM', key, room) else call('ZADD', key, text(now + tonumber(next)), room) end
return ''
`;
