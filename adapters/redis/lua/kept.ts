/**
 * What outlives a room's nodes: values, tasks, and questions to nodes. Its keys end with what they hold, never by time.
 *
 * | key | |
 * |---|---|
 * | v, vz, vm | hash: values with their tags; sorted set: their keys in order; string: the tag of the last write |
 * | tk:lane, tz:lane | hash and sorted set: tasks, and when they are due |
 * | tl:lane | hash: who has the lane, until when, and what it runs |
 * | tm | string: tasks are numbered |
 */
const versions: string = String.raw`
local function versionOf() return call('GET', base .. 'vm') or '' end
local function tagOf(key)
  local stored = call('HGET', base .. 'v', key)
  return stored and (field(stored, 1))
end
`;

export const getValue: string = String.raw`${versions}
local stored = call('HGET', base .. 'v', arg())
local out = {}
put(out, versionOf(), stored and 1 or 0)
return table.concat(out) .. (stored or '')
`;

export const listValues: string = String.raw`${versions}
local prefix, isAfter, after, limit = arg(), arg() == '1', arg(), num()
local from = isAfter and after >= prefix and '(' .. after or '[' .. prefix
local keys = call('ZRANGEBYLEX', base .. 'vz', from, prefix == '' and '+' or '(' .. prefix .. '\255', 'LIMIT', 0, limit)
local list, count, bytes = {}, 0, 0
for _, key in ipairs(keys) do
  if bytes >= 4194304 then break end
  local stored = call('HGET', base .. 'v', key)
  local _, text = field(stored, 1)
  put(list, key)
  list[#list + 1] = string.sub(stored, text)
  count, bytes = count + 1, bytes + #stored
end
local out = {}
put(out, versionOf(), count)
return table.concat(out) .. table.concat(list)
`;

export const writeValues: string = String.raw`${versions}
local tag, isClear, hasVersion, version, expected, changed = arg(), arg() == '1', arg() == '1', arg(), {}, {}
for i = 1, num() do expected[i] = { arg(), arg(), arg() } end
for i = 1, num() do changed[i] = { arg(), arg(), arg() } end
local out = {}
local function answer(isWritten, existed)
  put(out, versionOf(), isWritten and 1 or 0, #existed)
  for _, key in ipairs(existed) do put(out, key) end
  return table.concat(out)
end
if versionOf() == tag then return answer(true, {}) end
for _, one in ipairs(changed) do
  if tagOf(one[1]) == tag then return answer(true, {}) end
end
if hasVersion and versionOf() ~= version then return answer(false, {}) end
for _, one in ipairs(expected) do
  if tagOf(one[1]) ~= (one[2] == '1' and one[3]) then return answer(false, {}) end
end
local existed = {}
for _, one in ipairs(changed) do
  if tagOf(one[1]) then existed[#existed + 1] = one[1] end
end
if isClear then call('DEL', base .. 'v', base .. 'vz') end
for _, one in ipairs(changed) do
  if one[2] == '1' then
    local stored = {}
    put(stored, tag, one[3])
    call('HSET', base .. 'v', one[1], table.concat(stored))
    call('ZADD', base .. 'vz', 0, one[1])
  else
    call('HDEL', base .. 'v', one[1])
    call('ZREM', base .. 'vz', one[1])
  end
end
call('SET', base .. 'vm', tag)
-- It is needed by whoever has read before, and by values.
if call('EXISTS', base .. 'v') == 0 then call('PEXPIRE', base .. 'vm', remember) end
return answer(true, existed)
`;

const tasks: string = String.raw`
local lane = arg()
local stored, order, claims = base .. 'tk:' .. lane, base .. 'tz:' .. lane, base .. 'tl:' .. lane
local function taskOf(id)
  local fields = call('HGET', stored, id)
  if not fields then return nil end
  local task, at = { id = id }, 1
  for _, name in ipairs({ 'member', 'tag', 'time', 'isRepeated', 'runs' }) do task[name], at = field(fields, at) end
  task.body = string.sub(fields, at)
  return task
end
-- A task is behind others that are due in the same millisecond, by the number that its member begins with.
local function enter(task, due)
  if task.member then call('ZREM', order, task.member) end
  task.member = string.format('%015d', call('INCR', base .. 'tm')) .. task.id
  call('PEXPIRE', base .. 'tm', remember)
  call('ZADD', order, string.format('%.0f', due), task.member)
end
local function write(task)
  local fields = {}
  put(fields, task.member, task.tag, task.time, task.isRepeated, task.runs)
  call('HSET', stored, task.id, table.concat(fields) .. task.body)
end
local function drop(task)
  call('ZREM', order, task.member)
  call('HDEL', stored, task.id)
end
local function show(out, task)
  put(out, task.id, task.tag, task.time, task.isRepeated, task.runs, task.body)
end
local function claimOf()
  local c = call('HMGET', claims, 'server', 'until', 'id', 'tag')
  if not c[1] then return nil end
  return { server = c[1], till = tonumber(c[2]), id = c[3], tag = c[4] }
end
local function running(claim)
  local task = claim and claim.id and taskOf(claim.id)
  if task and task.tag == claim.tag then return task end
  return nil
end
local function hold(server, task)
  call('HSET', claims, 'server', server, 'until', string.format('%.0f', now() + lease))
  if task then call('HSET', claims, 'id', task.id, 'tag', task.tag) else call('HDEL', claims, 'id', 'tag') end
  -- Nobody comes back to it: then it says nothing any more.
  call('PEXPIRE', claims, string.format('%.0f', lease * 100))
end
`;

export const putTask: string = String.raw`${tasks}
local id, tag, isNow, time, isRepeated, body, most = arg(), arg(), arg() == '1', num(), arg(), arg(), num()
local known = taskOf(id)
if known and known.tag == tag then return '1' end
if not known and call('HLEN', stored) >= most then return '0' end
if isNow then time = now() end
local task = { id = id, tag = tag, time = string.format('%.17g', time), isRepeated = isRepeated, runs = 0, body = body, member = known and known.member }
enter(task, time)
write(task)
return '1'
`;

export const removeTask: string = String.raw`${tasks}
local task = taskOf(arg())
if task == nil then return '0' end
drop(task)
return '1'
`;

export const listTasks: string = String.raw`${tasks}
local isAfter, after, limit = arg() == '1', arg(), num()
local task = isAfter and taskOf(after)
local start = task and call('ZRANK', order, task.member) + 1 or 0
local list, count, bytes = {}, 0, 0
for _, member in ipairs(call('ZRANGE', order, start, start + limit - 1)) do
  if bytes >= 4194304 then break end
  local one = taskOf(string.sub(member, 16))
  show(list, one)
  count, bytes = count + 1, bytes + #one.body
end
local out = {}
put(out, count)
return table.concat(out) .. table.concat(list)
`;

export const claimLane: string = String.raw`${tasks}
local server, claim, time, lost = arg(), claimOf(), now(), nil
local function answer(next, task)
  local out = {}
  put(out, next, task and 1 or 0)
  if task then show(out, task) end
  put(out, lost and 1 or 0)
  if lost then show(out, lost) end
  return table.concat(out)
end
if claim and claim.server ~= server and claim.till > time then return answer(claim.till - time) end
local task = running(claim)
if task and claim.server == server then
  hold(server, task)
  return answer(lease, task)
end
if task and task.isRepeated == '0' then
  lost = task
  drop(task)
end
local first = call('ZRANGE', order, 0, 0, 'WITHSCORES')
local due = tonumber(first[2])
if due == nil or due > time then
  call('DEL', claims)
  return answer(due and due - time or '')
end
task = taskOf(string.sub(first[1], 16))
task.runs = task.runs + 1
write(task)
hold(server, task)
return answer(lease, task)
`;

export const settleTask: string = String.raw`${tasks}
local server, id, tag, isAgain, again = arg(), arg(), arg(), arg() == '1', num()
local claim = claimOf()
if not claim or claim.server ~= server or claim.id ~= id or claim.tag ~= tag then return '0' end
local task = running(claim)
hold(server)
if not task then return '0' end
if isAgain then
  enter(task, now() + again)
  write(task)
else
  drop(task)
end
return '1'
`;

export const ask: string = String.raw`
local tag, id, from, body = arg(), arg(), arg(), arg()
local living = call('ZRANGEBYSCORE', base .. 'e', string.format('%.0f', now()), '+inf')
if #living > 0 then
  change('asked', id, from, body)
  tell(tag)
end
local out = {}
put(out, #living)
for _, name in ipairs(living) do put(out, name) end
return table.concat(out)
`;
