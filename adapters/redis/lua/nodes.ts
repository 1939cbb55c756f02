/** Nodes: joining, reporting, leaving, and dying. */
export const nodes: string = String.raw`
local function bury(node)
  orphan(node)
  call('ZREM', base .. 'e', node)
  for _, id in ipairs(call('SMEMBERS', base .. 'q:' .. node)) do
    local present = call('HGET', base .. 'p', id)
    if present then
      local at, session = placeOf(present)
      if at == node and session == nil then call('HDEL', base .. 'p', id) end
    end
  end
  call('DEL', base .. 'k:' .. node, base .. 'q:' .. node)
  change('gone', node)
end
-- Keys of the room that have others in their name.
local function each(run)
  for _, topic in ipairs(call('HKEYS', base .. 'l')) do run('t:' .. topic) end
  local all = call('ZRANGE', base .. 'e', 0, -1)
  for _, node in ipairs(call('SMEMBERS', base .. 'd')) do all[#all + 1] = node end
  for _, node in ipairs(all) do
    for _, kind in ipairs({ 'k:', 'h:', 'q:' }) do run(kind .. node) end
    for _, name in ipairs(call('SMEMBERS', base .. 'h:' .. node)) do
      for _, kind in ipairs({ 's:', 'o:', 'ot:' }) do run(kind .. name) end
    end
  end
end
local whole = { 'm', 'l', 'n', 'e', 'd', 'p' }
-- Some day what nobody came back to ends: all of a room at once, so all is renewed before.
local function renew()
  local due, time = tonumber(call('HGET', base .. 'm', 'renewed') or '0') + keep / 2, now()
  if time < due then return end
  call('HSET', base .. 'm', 'renewed', string.format('%.0f', time))
  local till = string.format('%.0f', keep)
  local function run(name) call('PEXPIRE', base .. name, till) end
  each(run)
  for _, name in ipairs(whole) do run(name) end
end
-- Nothing is left that anybody could need.
local function tidy()
  if call('EXISTS', base .. 'e', base .. 'l', base .. 'd', base .. 'p') > 0 then return end
  for _, name in ipairs(whole) do call('DEL', base .. name) end
end
local function leaseEnd() return string.format('%.0f', now() + lease) end
`;

export const join: string = String.raw`
local node, itsLife, newLife = arg(), arg(), arg()
if life == '' then
  life = newLife
  call('DEL', base .. 'l', base .. 'n')
  call('HSET', base .. 'm', 'life', life)
  begin('m')
  local most = 0
  for _ = 1, num() do
    local topic, number = arg(), num()
    hset('n', topic, number)
    most = math.max(most, number)
  end
  call('HSET', base .. 'm', 'numbers', most)
end
if not isAlive(node) and itsLife == life then return '!expelled' end
call('ZADD', base .. 'e', leaseEnd(), node)
call('SREM', base .. 'd', node)
begin('e')
local known = call('HMGET', base .. 'k:' .. node, 'n', 't', 'b')
hset('k:' .. node, 'n', known[1] or 0)
call('HSET', base .. 'k:' .. node, 't', known[2] or '0', 'b', known[3] or 0)
local out, list, count = {}, {}, 0
put(out, life, feed, feedTag, known[1] or 0, known[2] or '0', known[3] or 0)
for _, topic in ipairs(call('HKEYS', base .. 'l')) do
  local log = logOf(topic)
  if not isLost(topic, log) then
    put(list, topic, call('HGET', base .. 'n', topic) or 0, log.epoch, log.last, log.tag)
    count = count + 1
  end
end
put(out, count)
out[#out + 1] = table.concat(list)
local present = call('HGETALL', base .. 'p')
put(out, #present / 2)
for i = 1, #present do put(out, present[i]) end
list, count = {}, 0
for _, name in ipairs(call('ZRANGE', base .. 'e', 0, -1)) do
  local counts = call('HGET', base .. 'k:' .. name, 'c')
  if counts then
    put(list, name, counts)
    count = count + 1
  end
end
put(out, count)
keepBegun()
renew()
return table.concat(out) .. table.concat(list)
`;

export const report: string = String.raw`
local node, itsLife, counts, tag = arg(), arg(), arg(), arg()
for _, dead in ipairs(call('ZRANGEBYSCORE', base .. 'e', '-inf', '(' .. string.format('%.0f', now()))) do bury(dead) end
local refused = refusal(node, itsLife)
if refused then
  tell(tag)
  keepBegun()
  tidy()
  return refused
end
call('ZADD', base .. 'e', leaseEnd(), node)
local known = call('HMGET', base .. 'k:' .. node, 'c', 'b')
if known[1] ~= counts then
  call('HSET', base .. 'k:' .. node, 'c', counts)
  change('counts', node, counts)
end
tell(tag)
local head = call('HMGET', base .. 'k:' .. node, 'n', 't')
local orphans = {}
for _, dead in ipairs(call('SMEMBERS', base .. 'd')) do
  if #orphans == 32 then break end
  for _, name in ipairs(call('SRANDMEMBER', base .. 'h:' .. dead, 32 - #orphans)) do orphans[#orphans + 1] = name end
end
local out = {}
put(out, feed, feedTag, head[1] or 0, head[2] or '0', known[2] or 0, call('SCARD', base .. 'h:' .. node), #orphans)
for _, name in ipairs(orphans) do put(out, name) end
keepBegun()
renew()
return table.concat(out)
`;

export const own: string = String.raw`
local node, asked, out, list = arg(), {}, {}, {}
local head = call('HMGET', base .. 'k:' .. node, 'n', 't')
local count = num()
put(out, head[1] or 0, head[2] or '0', count)
for _ = 1, count do
  local name, after = arg(), num()
  asked[name] = true
  local session = sessionOf(name)
  if session == nil or session.isOver or session.holder ~= node then
    put(out, name, 0, 0)
  else
    local entries = {}
    for _, entry in ipairs(call('LRANGE', base .. 'o:' .. name, 0, -1)) do
      if offsetOf(entry) > after then entries[#entries + 1] = entry end
    end
    put(out, name, 1, #entries)
    for _, entry in ipairs(entries) do put(out, entry) end
  end
end
for _, name in ipairs(call('SMEMBERS', base .. 'h:' .. node)) do
  if #list == 32 then break end
  if not asked[name] then list[#list + 1] = name end
end
put(out, #list)
for _, name in ipairs(list) do put(out, name) end
return table.concat(out)
`;

export const leave: string = String.raw`
local node, tag = arg(), arg()
if isAlive(node) then bury(node) end
tell(tag)
keepBegun()
tidy()
return ''
`;
